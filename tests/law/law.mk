# The tests of the law share the oracle and its helpers; each is a program of its own.

LAW_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/law/test_*.c) tests/law/shuffles.c)
LAW_PARTS    := $(filter-out $(addsuffix .o,$(LAW_PROGRAMS)),\
                  $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/law/*.c)))
LAW          += $(BUILD)/tests/law/shuffles

$(LAW_PROGRAMS): %: %.o $(LAW_PARTS) $(BUILD)/libkpid.a
	$(link)
