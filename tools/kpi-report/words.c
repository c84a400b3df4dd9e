/* The words of the report in its two languages. Chinese as the weekly meeting speaks: 达标, 缺口,
 * 补足. */
#include "words.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

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

const char *word_for(enum language language, const char *token)
{
    for (size_t i = 0; i < LENGTH(tokens); i++)
        if (strcmp(tokens[i].token, token) == 0)
            return tokens[i].words[language];
    return token;
}
