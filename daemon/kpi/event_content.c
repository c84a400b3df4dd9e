/* Are two events the same? Law 1.redelivery: the same content as parsed JSON, key order apart.
 *
 * Both texts become trees of nodes in one array each, the members of every object are sorted by
 * key, and the trees are compared node by node. Trees are walked with links, never by recursion, so
 * that a stranger's nesting costs memory in proportion to his bytes and no stack. Numbers are equal
 * by value, digit by digit (1, 1.0 and 10e-1 are one number; nothing passes through a double). Of a
 * key that stands twice in an object both values count, in their order. */
#include "kpi/event.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/mem.h"
#include "base/text.h"

enum node_type { NODE_NULL, NODE_FALSE, NODE_TRUE, NODE_NUMBER, NODE_STRING, NODE_ARRAY,
                 NODE_OBJECT };

#define NO_NODE UINT32_MAX

struct node {
    enum node_type type;
    uint32_t parent, next, first, last;     /* nodes, by index; NO_NODE: none */
    uint32_t children;
    size_t key, key_length;                 /* within an object; in `text` */
    size_t value, value_length;             /* a string, or a number as written; in `text` */
};

struct tree {
    struct node *nodes;
    uint32_t count, capacity;
    uint32_t open;                          /* innermost object or array that is being read */
    size_t key, key_length;                 /* of the value that comes next */
    struct text_buffer text;
};

static size_t keep_text(struct tree *t, const void *bytes, size_t length)
{
    size_t at = t->text.length;

    text_buffer_add(&t->text, bytes, length);
    return at;
}

static uint32_t add_node(struct tree *t, enum node_type type)
{
    if (t->count == t->capacity) {
        t->capacity = t->capacity == 0 ? 32 : 2 * t->capacity;
        t->nodes = mem_realloc_array(t->nodes, t->capacity, sizeof *t->nodes);
    }
    uint32_t n = t->count++;

    t->nodes[n] = (struct node){ .type = type, .parent = t->open, .next = NO_NODE,
                                 .first = NO_NODE, .last = NO_NODE, .key = t->key,
                                 .key_length = t->key_length };
    if (t->open != NO_NODE) {
        struct node *parent = &t->nodes[t->open];

        if (parent->last == NO_NODE)
            parent->first = n;
        else
            t->nodes[parent->last].next = n;
        parent->last = n;
        parent->children++;
    }
    t->key_length = 0;
    return n;
}

static int on_null(void *arg)
{
    add_node(arg, NODE_NULL);
    return 1;
}

static int on_boolean(void *arg, int value)
{
    add_node(arg, value ? NODE_TRUE : NODE_FALSE);
    return 1;
}

static int add_value(struct tree *t, enum node_type type, const void *bytes, size_t length)
{
    uint32_t n = add_node(t, type);     /* first: it may move the array */

    t->nodes[n].value = keep_text(t, bytes, length);
    t->nodes[n].value_length = length;
    return 1;
}

static int on_number(void *arg, const char *text, size_t length)
{
    return add_value(arg, NODE_NUMBER, text, length);
}

static int on_string(void *arg, const unsigned char *text, size_t length)
{
    return add_value(arg, NODE_STRING, text, length);
}

static int on_key(void *arg, const unsigned char *key, size_t length)
{
    struct tree *t = arg;

    t->key = keep_text(t, key, length);
    t->key_length = length;
    return 1;
}

static int on_open_map(void *arg)
{
    struct tree *t = arg;

    t->open = add_node(t, NODE_OBJECT);
    return 1;
}

static int on_open_array(void *arg)
{
    struct tree *t = arg;

    t->open = add_node(t, NODE_ARRAY);
    return 1;
}

static int on_close(void *arg)
{
    struct tree *t = arg;

    t->open = t->nodes[t->open].parent;
    return 1;
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_open_map,
    .yajl_map_key = on_key,
    .yajl_end_map = on_close,
    .yajl_start_array = on_open_array,
    .yajl_end_array = on_close,
};

static void tree_finish(struct tree *t)
{
    free(t->nodes);
    text_buffer_finish(&t->text);
}

static bool tree_read(struct tree *t, const char *json, size_t length)
{
    t->open = NO_NODE;
    yajl_handle yajl = yajl_alloc(&callbacks, NULL, t);

    assert(yajl);
    bool well = yajl_parse(yajl, (const unsigned char *)json, length) == yajl_status_ok &&
                yajl_complete_parse(yajl) == yajl_status_ok && t->count > 0;

    yajl_free(yajl);
    return well;
}

static int compare_bytes(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t shorter = a_length < b_length ? a_length : b_length;
    int order = shorter == 0 ? 0 : memcmp(a, b, shorter);

    return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

/* For qsort, which has no argument for the tree: the key's bytes stand in the element. */
struct member {
    const char *key;
    size_t key_length;
    uint32_t node;
};

static int by_key(const void *a, const void *b)
{
    const struct member *x = a;
    const struct member *y = b;
    int order = compare_bytes(x->key, x->key_length, y->key, y->key_length);

    return order != 0 ? order : (x->node > y->node) - (x->node < y->node);
}

static void sort_members(struct tree *t, struct node *object, struct member *members)
{
    size_t count = 0;

    for (uint32_t n = object->first; n != NO_NODE; n = t->nodes[n].next)
        members[count++] = (struct member){ t->text.bytes ? t->text.bytes + t->nodes[n].key : "",
                                            t->nodes[n].key_length, n };
    qsort(members, count, sizeof *members, by_key);
    for (size_t i = 0; i < count; i++)
        t->nodes[members[i].node].next = i + 1 < count ? members[i + 1].node : NO_NODE;
    object->first = members[0].node;
    object->last = members[count - 1].node;
}

static void tree_sort(struct tree *t)
{
    struct member *members = mem_realloc_array(NULL, t->count, sizeof *members);

    for (uint32_t n = 0; n < t->count; n++)
        if (t->nodes[n].type == NODE_OBJECT && t->nodes[n].children > 1)
            sort_members(t, &t->nodes[n], members);
    free(members);
}

/* A number as written, seen as 0.DIGITS x 10^exponent without zeros at either end. */
struct decimal {
    bool negative;
    bool huge_exponent;         /* too long to calculate with: equal only as written */
    const char *text;
    size_t length;
    size_t first, last;         /* of the digits that count, in `text`; first == length: zero */
    int64_t exponent;
};

enum { EXPONENT_DIGITS_MAX = 15 };

static int64_t read_exponent(const char *text, size_t length, bool *ret_huge)
{
    int64_t value = 0;
    size_t i = length > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    bool negative = length > 0 && text[0] == '-';

    while (i < length && text[i] == '0')
        i++;
    *ret_huge = length - i > EXPONENT_DIGITS_MAX;
    for (; i < length && !*ret_huge; i++)
        value = value * 10 + (text[i] - '0');
    return negative ? -value : value;
}

static struct decimal read_decimal(const char *text, size_t length)
{
    struct decimal d = { .text = text, .length = length, .first = length, .last = length,
                         .negative = text[0] == '-' };
    size_t end = length;
    size_t point = length;

    for (size_t i = 0; i < end; i++) {
        if (text[i] == 'e' || text[i] == 'E')
            end = i;
        else if (text[i] == '.')
            point = i;
        else if (text[i] > '0' && text[i] <= '9') {
            d.first = d.first == length ? i : d.first;
            d.last = i;
        }
    }
    if (d.first == length) {
        d.negative = false;         /* zero is zero, whatever its sign and exponent */
        return d;
    }
    if (point > end)
        point = end;
    if (end < length)
        d.exponent = read_exponent(text + end + 1, length - end - 1, &d.huge_exponent);
    d.exponent += d.first < point ? (int64_t)(point - d.first)
                                  : (int64_t)point + 1 - (int64_t)d.first;
    return d;
}

/* The next digit at or after `*at`, stepping over the point; -1 after the last. */
static int next_digit(const struct decimal *d, size_t *at)
{
    if (*at <= d->last && *at < d->length && d->text[*at] == '.')
        (*at)++;
    return *at <= d->last && *at < d->length ? d->text[(*at)++] : -1;
}

static bool same_number(const char *a, size_t a_length, const char *b, size_t b_length)
{
    struct decimal x = read_decimal(a, a_length);
    struct decimal y = read_decimal(b, b_length);

    if (x.huge_exponent || y.huge_exponent)
        return compare_bytes(a, a_length, b, b_length) == 0;
    if (x.negative != y.negative || x.exponent != y.exponent)
        return false;
    for (size_t i = x.first, k = y.first;;) {
        int digit = next_digit(&x, &i);

        if (digit != next_digit(&y, &k))
            return false;
        if (digit < 0)
            return true;
    }
}

static bool same_node(const struct tree *a, const struct node *x, const struct tree *b,
                      const struct node *y)
{
    if (x->type != y->type || x->children != y->children ||
        compare_bytes(a->text.bytes + x->key, x->key_length, b->text.bytes + y->key,
                      y->key_length) != 0)
        return false;
    if (x->type == NODE_NUMBER)
        return same_number(a->text.bytes + x->value, x->value_length,
                           b->text.bytes + y->value, y->value_length);
    return x->type != NODE_STRING ||
           compare_bytes(a->text.bytes + x->value, x->value_length,
                         b->text.bytes + y->value, y->value_length) == 0;
}

/* The node after `n` when children come before siblings; NO_NODE after the last. */
static uint32_t next_node(const struct tree *t, uint32_t n)
{
    if (t->nodes[n].first != NO_NODE)
        return t->nodes[n].first;
    while (n != NO_NODE && t->nodes[n].next == NO_NODE)
        n = t->nodes[n].parent;
    return n == NO_NODE ? NO_NODE : t->nodes[n].next;
}

/* Equal nodes have equally many children, so both walks stay in step. */
static bool same_tree(const struct tree *a, const struct tree *b)
{
    uint32_t x = 0;
    uint32_t y = 0;

    while (x != NO_NODE && y != NO_NODE) {
        if (!same_node(a, &a->nodes[x], b, &b->nodes[y]))
            return false;
        x = next_node(a, x);
        y = next_node(b, y);
    }
    return x == y;
}

/* law 1.redelivery */
bool event_same_content(const char *a, size_t a_length, const char *b, size_t b_length)
{
    struct tree x = { 0 };
    struct tree y = { 0 };
    bool same = false;

    if (a_length == b_length && memcmp(a, b, a_length) == 0)
        return true;        /* the ordinary redelivery */
    if (tree_read(&x, a, a_length) && tree_read(&y, b, b_length)) {
        text_buffer_add(&x.text, "", 0);    /* never NULL below */
        text_buffer_add(&y.text, "", 0);
        tree_sort(&x);
        tree_sort(&y);
        same = same_tree(&x, &y);
    }
    tree_finish(&x);
    tree_finish(&y);
    return same;
}
