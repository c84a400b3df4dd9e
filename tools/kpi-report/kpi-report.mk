# kpi-report: the library, for it reads the meeting as the socket does; and the table that it shares
# with kpictl.
REPORT_OBJS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tools/kpi-report/*.c) \
                 tools/kpictl/table.c tools/kpictl/percent.c) $(BUILD)/libkpid.a

ALL         += $(BUILD)/kpi-report
INSTALL_BIN += $(BUILD)/kpi-report

# Workbooks are this program's alone.
$(BUILD)/kpi-report $(BUILD)/tests/unit/test_report: LDLIBS += $(shell pkg-config --libs xlsxwriter)

$(BUILD)/kpi-report: $(REPORT_OBJS)
	$(link)

# Its unit test: against its own objects, main.o apart.
$(BUILD)/tests/unit/test_report: $(BUILD)/tests/unit/test_report.o \
		$(filter-out %/main.o,$(REPORT_OBJS))
	$(link)
