/* What one ticket or device was counted as. The words are those of what was counted, not of what
 * was reported: a success that a repair accuses counts as a failure. */
#include "tickets.h"

#include <string.h>

#include "answer.h"
#include "base/mem.h"

static const struct {
    const char *counts_as;
    enum colour colour;
} tickets[] = {
    { "success", COLOUR_GOOD },
    { "failure", COLOUR_BAD },
    { "excluded", COLOUR_DIM },
    { "pending", COLOUR_WARNING },
};

const char *ticket_counted(yajl_val item, enum colour *ret_colour)
{
    const char *counts_as = answer_text(item, "counts_as");

    for (size_t i = 0; i < LENGTH(tickets); i++)
        if (strcmp(counts_as, tickets[i].counts_as) == 0) {
            *ret_colour = tickets[i].colour;
            return tickets[i].counts_as;
        }
    if (answer_text(item, "ticket")[0] || answer_integer(item, "denominator") == 0) {
        *ret_colour = COLOUR_DIM;
        return "nothing";
    }
    *ret_colour = answer_integer(item, "numerator") > 0 ? COLOUR_BAD : COLOUR_GOOD;
    return answer_integer(item, "numerator") > 0 ? "faulty" : "well";
}
