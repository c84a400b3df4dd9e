# kpi-report: base, SQLite, and the table that it shares with kpictl.
REPORT_OBJS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tools/kpi-report/*.c) \
                 tools/kpictl/table.c tools/kpictl/percent.c $(wildcard daemon/base/*.c))

ALL         += $(BUILD)/kpi-report
INSTALL_BIN += $(BUILD)/kpi-report

$(BUILD)/kpi-report: $(REPORT_OBJS)
	$(link)

# Its unit test: against its own objects, main.o apart.
$(BUILD)/tests/unit/test_report: $(BUILD)/tests/unit/test_report.o \
		$(filter-out %/main.o,$(REPORT_OBJS))
	$(link)
