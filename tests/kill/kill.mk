# The load of the kill test (tests/system/900-kill).

ALL += $(BUILD)/kill_load

$(BUILD)/kill_load: $(BUILD)/tests/kill/kill_load.o
	$(link)
