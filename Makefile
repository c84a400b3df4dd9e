# kpid: every target; `make help` lists them from their comments.
#   make V=1                show commands
#   make VARIANT=asan ...   build/asan with AddressSanitizer and UBSan; also tsan, cov, release
#   make CC=clang ...

VARIANT ?= debug
PREFIX  ?= /usr
BUILD   := build/$(VARIANT)
Q       := $(if $(V),,@)

PKGS := libuv sqlite3 libconfig libcurl libmicrohttpd yajl libcrypto libsystemd

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
            -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla \
            -Wformat=2 -Wnull-dereference -Werror

VARIANT_CFLAGS_debug   := -O1 -g
VARIANT_CFLAGS_release := -O2 -g
VARIANT_CFLAGS_asan    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
VARIANT_CFLAGS_tsan    := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
VARIANT_CFLAGS_cov     := -O0 -g --coverage
VARIANT_CFLAGS := $(VARIANT_CFLAGS_$(VARIANT))

HARDENING := -fstack-protector-strong -fPIE $(if $(filter debug release,$(VARIANT)),-D_FORTIFY_SOURCE=2)

ALL_CFLAGS := -std=c17 -D_GNU_SOURCE -Idaemon -Idrivers -I$(BUILD) -pthread $(WARNINGS) \
              $(HARDENING) $(VARIANT_CFLAGS) $(shell pkg-config --cflags $(PKGS)) $(CFLAGS)
ALL_LDFLAGS := -pie -Wl,-z,relro,-z,now -pthread $(VARIANT_CFLAGS) $(LDFLAGS)
LDLIBS := $(shell pkg-config --libs $(PKGS)) -lm

SRCS := $(filter-out daemon/kpid.c,$(wildcard daemon/*.c daemon/*/*.c drivers/*.c))
OBJS := $(SRCS:%.c=$(BUILD)/%.o)
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))

all: $(BUILD)/kpid  ## the daemon and its tools

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@$(if $(V),,echo "  CC $<")
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libkpid.a: $(OBJS)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/kpid: $(BUILD)/daemon/kpid.o $(BUILD)/libkpid.a
	@$(if $(V),,echo "  LD $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/libkpid.a
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

unit: $(UNIT)  ## the unit tests
	prove --exec '' $(UNIT)

clean:  ## remove what was built
	rm -rf build

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 18

.PHONY: all unit clean help
.SECONDARY:
-include $(OBJS:.o=.d)
