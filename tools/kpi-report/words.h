/* The words of the report in its two languages.
 *
 * A table in the program, not a catalogue of gettext: the report is asked for in a language by
 * option, by a cron job whose locale is "C", on machines on which no Chinese locale was ever
 * generated; gettext would then quietly answer in English. */
#ifndef KPI_REPORT_WORDS_H
#define KPI_REPORT_WORDS_H

#include <stdbool.h>
#include <stdint.h>

enum language { LANGUAGE_EN, LANGUAGE_ZH, LANGUAGES };

enum word {
    /* Of the page. */
    WORD_TITLE, WORD_FIGURES_AS_OF, WORD_NOT_ENDED, WORD_NOTHING_COUNTED, WORD_COMPANY,
    WORD_DEPARTMENT, WORD_BY_SITE, WORD_BY_STAFF, WORD_MAKE_UP, WORD_NO_MAKE_UP, WORD_TOO_MANY_BY,
    WORD_TOO_FEW_BY,
    /* Of its tables. */
    WORD_KPI, WORD_SITE, WORD_STAFF, WORD_RATE, WORD_COUNTS, WORD_BOUNDS, WORD_TARGET,
    WORD_VERDICT, WORD_SHORTFALL, WORD_PENDING, WORD_EXCLUDED, WORD_COVERAGE, WORD_GAPS,
    WORD_FROM_LAST_WEEK, WORD_STREAK, WORD_PENALTY, WORD_PENALTY_DUE, WORD_EXPLANATION,
    /* Of what the meeting has beside. */
    WORD_RESTATEMENT_PENDING, WORD_EXPLANATIONS, WORD_AUTHOR, WORD_WHEN, WORD_PLANS, WORD_PERIOD,
    WORD_PLANNED, WORD_PLANNED_SO_FAR, WORD_DONE, WORD_STILL_NEEDED, WORD_PLAN_DONE,
    WORD_MORE_TODAY, WORD_MORE_BY_SUNDAY, WORD_MORE_THIS_MONTH, WORD_MORE_THIS_YEAR, WORD_POSTS,
    WORD_POST, WORD_HOLDERS, WORD_WEIGHT, WORD_ATTAINMENT, WORD_WEIGHTED, WORD_SIGNS,
    WORD_EXCLUDED_SHARE, WORD_AMENDED, WORD_AMENDED_BY_OWN, WORD_LAST_TENTH, WORD_SAME_MINUTE,
    WORD_OLDEST_PENDING, WORD_REVISIONS, WORD_BY, WORD_WHY, WORD_MOVED_COUNT, WORD_WHAT_MOVED,
    WORD_MOVED, WORD_BEFORE, WORD_AFTER, WORD_PENDING_MOVE, WORD_QUARANTINE, WORD_NUMBER, WORD_VIA,
    /* Of the workbook's sheets. */
    WORD_SHEET_PAGE, WORD_SHEET_FACTS,
    /* Of CSV alone; in English the names that the socket uses. */
    WORD_CSV_WEEK, WORD_CSV_SCOPE, WORD_CSV_SCOPE_KIND, WORD_CSV_KPI, WORD_CSV_NAME,
    WORD_CSV_NUMERATOR, WORD_CSV_DENOMINATOR, WORD_CSV_LOW, WORD_CSV_HIGH, WORD_CSV_DIRECTION,
    WORD_CSV_COVERAGE, WORD_CSV_STATE, WORD_CSV_REVISION, WORD_CSV_AS_OF, WORD_CSV_MAKE_UP,
    WORD_CSV_STREAK, WORD_CSV_PENALTY_DUE, WORD_CSV_EXPLANATION, WORD_CSV_EXPLANATION_TEXT,
    WORDS,
};

/* "zh" (also "zh_CN.UTF-8") or "en". False for any other. */
bool language_parse(const char *text, enum language *ret);
/* Of the environment's locale; English if it says nothing. */
enum language language_of_locale(void);

const char *word_of(enum language language, enum word word);
/* A word that has two numbers in it: "%" and "&" stand for them. Gives. */
char *word_with(enum language language, enum word word, int64_t first, int64_t second);
/* What the ledger calls a verdict, a state, a direction or a kind of scope, for people; itself, if
 * there is no word for it. */
const char *word_for(enum language language, const char *token);

#endif
