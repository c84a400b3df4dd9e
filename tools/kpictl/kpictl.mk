# kpictl: of the daemon it uses base alone, and is linked with nothing else of it.
BASE_OBJS   := $(patsubst %.c,$(BUILD)/%.o,$(wildcard daemon/base/*.c))
KPICTL_OBJS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tools/kpictl/*.c))

ALL         += $(BUILD)/kpictl
INSTALL_BIN += $(BUILD)/kpictl

$(BUILD)/kpictl: $(KPICTL_OBJS) $(BASE_OBJS)
	$(link)

$(BUILD)/libkpictl.a: $(filter-out %/main.o,$(KPICTL_OBJS)) $(BASE_OBJS)
	$(Q)rm -f $@ && ar rcs $@ $^

# Its unit tests: against its own objects, main.o apart.
$(BUILD)/tests/unit/test_kpictl_%: $(BUILD)/tests/unit/test_kpictl_%.o $(BUILD)/libkpictl.a
	$(link)
