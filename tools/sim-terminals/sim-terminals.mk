# kpi-sim-terminals: GPS terminals by the thousand, for tests and measurements.

SIM_TERMINALS_OBJS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tools/sim-terminals/*.c))
ALL += $(BUILD)/kpi-sim-terminals

$(BUILD)/kpi-sim-terminals: $(SIM_TERMINALS_OBJS) $(BUILD)/libkpid.a
	$(link)
