/* Carries a trial through a real ledger and compares its facts with the oracle's. */
#ifndef KPID_TESTS_LAW_RUN_TRIAL_H
#define KPID_TESTS_LAW_RUN_TRIAL_H

#include "base/text.h"
#include "trial.h"

/* True if everything agreed; else `why` (may be NULL) tells the first difference. `every_commit`:
 * compare after each commit, not only where the trial says so. */
bool run_trial(const struct trial *trial, bool every_commit, struct text_buffer *why);

#endif
