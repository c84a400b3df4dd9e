/* The reader of the configuration, fed with any bytes: it ends with a configuration or with
 * faults, never with neither and never with both. */
#include <assert.h>
#include <stdlib.h>

#include "config/conf_private.h"
#include "config/conf_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct faults faults = { 0 };
    struct option_tree *tree = conf_tree_parse("fuzz", (const char *)data, size, &faults);

    assert((tree == NULL) == (faults.count > 0));
    if (tree) {
        struct conf *conf = conf_of_tree(tree, &faults);

        assert((conf == NULL) == (faults.count > 0));
        if (conf)
            free(conf_changes(NULL, conf));
        conf_destroy(conf);
    }
    faults_sort(&faults);
    for (size_t i = 1; i < faults.count; i++)
        assert(faults.items[i - 1].line <= faults.items[i].line);
    option_tree_destroy(tree);
    faults_finish(&faults);
    return 0;
}
