# The tests of the law share the oracle and its helpers; each is a program of its own.

LAW_PARTS := $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/law/test_% tests/law/shuffles.c \
               tests/law/golden_diff.c,$(wildcard tests/law/*.c)))
LAW_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/law/test_*.c tests/law/shuffles.c \
                  tests/law/golden_diff.c))

$(LAW_PROGRAMS): %: %.o $(LAW_PARTS) $(BUILD)/libkpid.a
	$(link)
