# kpi-sim-bench: the hardware of a bench, for the quickstart and the tests.

SIM_BENCH_OBJS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tools/sim-bench/*.c))
ALL += $(BUILD)/kpi-sim-bench

$(BUILD)/kpi-sim-bench: $(SIM_BENCH_OBJS) $(BUILD)/libkpid.a
	$(link)

$(BUILD)/libsimbench.a: $(filter-out %/main.o,$(SIM_BENCH_OBJS))
	$(Q)rm -f $@ && ar rcs $@ $^

# Its unit tests, main.o apart.
$(BUILD)/tests/unit/test_sim_%: $(BUILD)/tests/unit/test_sim_%.o $(BUILD)/libtest.a \
                                $(BUILD)/libsimbench.a $(BUILD)/libkpid.a
	$(link)
