# The schema is part of the program: schema/*.sql as bytes, in the order of their names.

SCHEMA   := $(sort $(wildcard schema/*.sql))
LIB_OBJS += $(BUILD)/schema/embedded.o

$(BUILD)/schema/embedded.c: $(SCHEMA) schema/embed
	@mkdir -p $(@D)
	$(Q)schema/embed $(SCHEMA) > $@.part && mv $@.part $@

$(BUILD)/schema/embedded.o: $(BUILD)/schema/embedded.c $(BUILD)/flags
	@$(if $(V),:,echo "  CC  $<")
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
