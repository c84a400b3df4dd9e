/* The words of the report in its two languages. Chinese as the weekly meeting speaks: 达标, 缺口,
 * 补足. */
#include "words.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static const char *const words[WORDS][LANGUAGES] = {
    [WORD_TITLE] = { "Weekly KPI report", "运营指标周报" },
    [WORD_FIGURES_AS_OF] = { "figures as of", "数据截至" },
    [WORD_NOT_ENDED] = { "The week had not ended then: these figures are provisional.",
                         "截至该时刻本周尚未结束，以下为阶段性数据。" },
    [WORD_NOTHING_COUNTED] = { "Nothing was counted in this week.", "本周没有任何统计数据。" },
    [WORD_COMPANY] = { "Company", "全公司" },
    [WORD_DEPARTMENT] = { "Department", "部门" },
    [WORD_BY_SITE] = { "By site", "按站点" },
    [WORD_BY_STAFF] = { "By staff", "按员工" },
    [WORD_MAKE_UP] = { "To be made up next week", "下周须补足" },
    [WORD_NO_MAKE_UP] = { "Nothing has to be made up next week.", "下周无须补足。" },
    [WORD_TOO_MANY_BY] = { "too many by", "超出" },
    [WORD_TOO_FEW_BY] = { "too few by", "差" },
    [WORD_KPI] = { "KPI", "指标" },
    [WORD_SITE] = { "site", "站点" },
    [WORD_STAFF] = { "staff", "员工" },
    [WORD_RATE] = { "rate", "完成率" },
    [WORD_COUNTS] = { "n/d", "分子/分母" },
    [WORD_BOUNDS] = { "95 % bounds", "95% 置信区间" },
    [WORD_TARGET] = { "target", "目标" },
    [WORD_VERDICT] = { "verdict", "结论" },
    [WORD_SHORTFALL] = { "shortfall", "缺口" },
    [WORD_PENDING] = { "pending", "未结" },
    [WORD_EXCLUDED] = { "excluded", "剔除" },
    [WORD_COVERAGE] = { "watched", "监测覆盖" },
    [WORD_GAPS] = { "gaps", "中断次数" },
    [WORD_FROM_LAST_WEEK] = { "to make up", "上周补足" },
    [WORD_STREAK] = { "streak", "连续未达标" },
    [WORD_PENALTY] = { "penalty", "处罚" },
    [WORD_PENALTY_DUE] = { "due", "应处罚" },
    [WORD_EXPLANATION] = { "explanation", "说明" },
    [WORD_RESTATEMENT_PENDING] = { "Something moved since the week was sealed: it will be restated.",
                                   "封存后数据有变动，待重述。" },
    [WORD_EXPLANATIONS] = { "Explanations", "未达标说明" },
    [WORD_AUTHOR] = { "by", "说明人" },
    [WORD_WHEN] = { "when", "时间" },
    [WORD_PLANS] = { "Volume plans", "工作量计划" },
    [WORD_PERIOD] = { "period", "期间" },
    [WORD_PLANNED] = { "planned", "计划" },
    [WORD_PLANNED_SO_FAR] = { "by now", "应完成" },
    [WORD_DONE] = { "done", "已完成" },
    [WORD_STILL_NEEDED] = { "still needed", "尚需" },
    [WORD_PLAN_DONE] = { "done", "已完成计划" },
    [WORD_MORE_TODAY] = { "% more today", "今日还需 %" },
    [WORD_MORE_BY_SUNDAY] = { "% more by Sunday, & a day", "周日前还需 %，每天 &" },
    [WORD_MORE_THIS_MONTH] = { "% more this month, & a day", "本月还需 %，每天 &" },
    [WORD_MORE_THIS_YEAR] = { "% more this year, & a day", "本年还需 %，每天 &" },
    [WORD_POSTS] = { "Posts", "岗位考核" },
    [WORD_POST] = { "post", "岗位" },
    [WORD_HOLDERS] = { "held by", "在岗人" },
    [WORD_WEIGHT] = { "weight", "权重" },
    [WORD_ATTAINMENT] = { "attained", "达成率" },
    [WORD_WEIGHTED] = { "weighted", "加权达成率" },
    [WORD_SIGNS] = { "Behind the figures", "数据观察（不作结论）" },
    [WORD_EXCLUDED_SHARE] = { "excluded", "剔除占比" },
    [WORD_AMENDED] = { "amended", "更正工单" },
    [WORD_AMENDED_BY_OWN] = { "by its own", "本部门更正" },
    [WORD_LAST_TENTH] = { "in the last tenth", "末段完成占比" },
    [WORD_SAME_MINUTE] = { "same minute", "同分钟开结" },
    [WORD_OLDEST_PENDING] = { "oldest pending", "最久未结" },
    [WORD_REVISIONS] = { "Revisions", "封存与重述" },
    [WORD_BY] = { "by", "操作人" },
    [WORD_WHY] = { "why", "原因" },
    [WORD_MOVED_COUNT] = { "moved", "变动数" },
    [WORD_WHAT_MOVED] = { "What moved", "变动明细" },
    [WORD_MOVED] = { "ticket or device", "工单或设备" },
    [WORD_BEFORE] = { "before", "变动前" },
    [WORD_AFTER] = { "after", "变动后" },
    [WORD_PENDING_MOVE] = { "pending", "待重述" },
    [WORD_QUARANTINE] = { "In quarantine, of this week", "隔离区中属于本周的条目" },
    [WORD_NUMBER] = { "no.", "编号" },
    [WORD_VIA] = { "from", "来源" },
    [WORD_SHEET_PAGE] = { "Report", "周报" },
    [WORD_SHEET_FACTS] = { "Facts", "明细" },
    [WORD_CSV_WEEK] = { "week", "周" },
    [WORD_CSV_SCOPE] = { "scope", "范围" },
    [WORD_CSV_SCOPE_KIND] = { "scope_kind", "范围类别" },
    [WORD_CSV_KPI] = { "kpi", "指标代码" },
    [WORD_CSV_NAME] = { "name", "指标" },
    [WORD_CSV_NUMERATOR] = { "numerator", "分子" },
    [WORD_CSV_DENOMINATOR] = { "denominator", "分母" },
    [WORD_CSV_LOW] = { "low", "置信下限" },
    [WORD_CSV_HIGH] = { "high", "置信上限" },
    [WORD_CSV_DIRECTION] = { "direction", "方向" },
    [WORD_CSV_COVERAGE] = { "coverage", "监测覆盖率" },
    [WORD_CSV_STATE] = { "state", "状态" },
    [WORD_CSV_REVISION] = { "revision", "修订号" },
    [WORD_CSV_AS_OF] = { "as_of", "数据截至" },
    [WORD_CSV_MAKE_UP] = { "make_up", "上周补足" },
    [WORD_CSV_STREAK] = { "streak", "连续未达标" },
    [WORD_CSV_PENALTY_DUE] = { "penalty_due", "应处罚" },
    [WORD_CSV_EXPLANATION] = { "explanation", "说明状态" },
    [WORD_CSV_EXPLANATION_TEXT] = { "explanation_text", "说明" },
};

static const struct {
    const char *token;
    const char *words[LANGUAGES];
} tokens[] = {
    { "met", { "met", "达标" } },
    { "missed", { "missed", "未达标" } },
    { "too_few", { "too few", "样本不足" } },
    { "no_data", { "no data", "无数据" } },
    { "no_target", { "no target", "未设目标" } },
    { "open", { "not yet ended", "进行中" } },
    { "closing", { "ended, not yet sealed", "已结束，待封存" } },
    { "sealed", { "sealed", "已封存" } },
    { "at_least", { "at least", "不低于" } },
    { "at_most", { "at most", "不高于" } },
    { "company", { "company", "全公司" } },
    { "department", { "department", "部门" } },
    { "site", { "site", "站点" } },
    { "staff", { "staff", "员工" } },
    { "model", { "model", "型号" } },
    { "due", { "due", "待说明" } },
    { "given", { "given", "已说明" } },
    { "success", { "success", "成功" } },
    { "failure", { "failure", "失败" } },
    { "excluded", { "excluded", "剔除" } },
    { "pending", { "pending", "未结" } },
    { "nowhere", { "not counted", "未计入" } },
    { "true", { "true", "是" } },
    { "false", { "false", "否" } },
};

bool language_parse(const char *text, enum language *ret)
{
    static const char *const codes[LANGUAGES] = { [LANGUAGE_EN] = "en", [LANGUAGE_ZH] = "zh" };

    for (size_t i = 0; i < LANGUAGES; i++)
        if (strncmp(text, codes[i], 2) == 0 && (text[2] == '\0' || strchr("_-.", text[2]))) {
            *ret = (enum language)i;
            return true;
        }
    return false;
}

enum language language_of_locale(void)
{
    static const char *const variables[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
    enum language language = LANGUAGE_EN;
    const char *value;

    for (size_t i = 0; i < LENGTH(variables); i++) {
        value = getenv(variables[i]);
        if (!value || value[0] == '\0')
            continue;
        /* Any other language reads English. */
        (void)language_parse(value, &language);
        return language;
    }
    return language;
}

const char *word_of(enum language language, enum word word)
{
    assert(word < WORDS && words[word][language]);
    return words[word][language];
}

char *word_with(enum language language, enum word word, int64_t first, int64_t second)
{
    struct text_buffer text = { 0 };

    for (const char *p = word_of(language, word); *p; p++) {
        if (*p == '%')
            text_buffer_addf(&text, "%" PRId64, first);
        else if (*p == '&')
            text_buffer_addf(&text, "%" PRId64, second);
        else
            text_buffer_add(&text, p, 1);
    }
    return text_buffer_take(&text);
}

const char *word_for(enum language language, const char *token)
{
    for (size_t i = 0; i < LENGTH(tokens); i++)
        if (strcmp(tokens[i].token, token) == 0)
            return tokens[i].words[language];
    return token;
}
