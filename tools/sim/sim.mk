# kpi-sim: a fleet platform, and people who drop files, for the quickstart and the tests.

SIM_OBJS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tools/sim/*.c))
ALL += $(BUILD)/kpi-sim

$(BUILD)/kpi-sim: $(SIM_OBJS) $(BUILD)/libkpid.a
	$(link)
