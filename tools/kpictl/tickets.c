/* The contribution of one ticket or device in words. The words are those of what was counted, not
 * of what was reported: a success that a repair accuses counts as a failure. */
#include "tickets.h"

#include "answer.h"

const char *ticket_counted(yajl_val item, enum colour *ret_colour)
{
    bool device = answer_text(item, "ticket")[0] == '\0';

    *ret_colour = COLOUR_DIM;
    if (answer_integer(item, "contribution.excluded") > 0)
        return "excluded";
    if (answer_integer(item, "contribution.pending") > 0) {
        *ret_colour = COLOUR_WARNING;
        return "pending";
    }
    if (answer_integer(item, "contribution.denominator") == 0)
        return "nothing";
    if (answer_integer(item, "contribution.numerator") > 0) {
        *ret_colour = device ? COLOUR_BAD : COLOUR_GOOD;
        return device ? "faulty" : "success";
    }
    *ret_colour = device ? COLOUR_GOOD : COLOUR_BAD;
    return device ? "in service" : "failure";
}
