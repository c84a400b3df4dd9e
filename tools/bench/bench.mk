# kpi-bench: the measuring commands; `make bench` runs them side by side on a release build.

ALL += $(BUILD)/kpi-bench

$(BUILD)/kpi-bench: $(patsubst %.c,$(BUILD)/%.o,$(wildcard tools/bench/*.c)) \
                    $(BUILD)/libkpid.a
	$(link)
