# kpid: every target; `make help` lists them from their comments.
#
#   make V=1                    show commands
#   make VARIANT=asan ...       build/asan with AddressSanitizer and UBSan; also tsan, cov, release
#   make CC=clang ...           build/debug-clang
#   make BUILD=build/mine ...   a build folder of one's own
#
# Sources are found by wildcard: a new file needs no line here. What else a folder needs (a
# generated file, a program of its own) stands in a fragment beside it, FOLDER/*.mk, which may
# add rules and to these:
#
#   ALL        what `make` builds            GENERATED  headers that must exist before compiling
#   LIB_OBJS   further objects of libkpid.a  PKGS       libraries, as pkg-config calls them
#   LAW        law tests, programs to run    INSTALL_BIN  programs for $(PREFIX)/bin
#
# A folder tools/X with a main.c and no fragment is the program X.

VERSION := 0.1.0
VARIANT ?= debug
BUILD   ?= build/$(VARIANT)$(if $(findstring clang,$(CC)),$(if $(filter fuzz,$(VARIANT)),,-clang))
Q       := $(if $(V),,@)

PREFIX     ?= /usr
SYSCONFDIR ?= /etc
SBINDIR    ?= $(PREFIX)/sbin
BINDIR     ?= $(PREFIX)/bin
MANDIR     ?= $(PREFIX)/share/man
DOCDIR     ?= $(PREFIX)/share/doc/kpid
UNITDIR    ?= $(PREFIX)/lib/systemd/system
SYSUSERS   ?= $(PREFIX)/lib/sysusers.d
TMPFILES   ?= $(PREFIX)/lib/tmpfiles.d

PKGS := libgps libuv libmodbus sqlite3 libconfig libcurl libmicrohttpd yajl libcrypto libsystemd
ALL  := $(BUILD)/kpid
LAW  :=
LIB_OBJS  :=
GENERATED := $(BUILD)/version.h
INSTALL_BIN :=

MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := all
-include $(sort $(wildcard */*.mk */*/*.mk))

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
            -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla \
            -Wformat=2 -Wnull-dereference -Werror

SANITIZE_asan := -fsanitize=address,undefined -fno-sanitize-recover=all
SANITIZE_tsan := -fsanitize=thread
SANITIZE_fuzz := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
SANITIZE      := $(SANITIZE_$(VARIANT))
VARIANT_CFLAGS_debug   := -O1 -g
VARIANT_CFLAGS_release := -O2 -g
VARIANT_CFLAGS_asan    := -O1 -g -fno-omit-frame-pointer
VARIANT_CFLAGS_tsan    := -O1 -g -fno-omit-frame-pointer
VARIANT_CFLAGS_fuzz    := -O1 -g -fno-omit-frame-pointer
VARIANT_CFLAGS_cov     := -O0 -g --coverage
VARIANT_CFLAGS := $(VARIANT_CFLAGS_$(VARIANT)) $(SANITIZE)

# Fortify needs optimisation and hides from the sanitizers what they look for.
HARDENING := -fstack-protector-strong -fPIE \
             $(if $(filter debug release,$(VARIANT)),-D_FORTIFY_SOURCE=2)

ALL_CFLAGS := -std=c17 -D_GNU_SOURCE -I. -Idaemon -Idrivers -I$(BUILD) -pthread $(WARNINGS) \
              $(HARDENING) $(VARIANT_CFLAGS) $(shell pkg-config --cflags $(PKGS)) $(CFLAGS)
ALL_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed -pthread $(VARIANT_CFLAGS) $(LDFLAGS)
LDLIBS := $(shell pkg-config --libs $(PKGS)) -lm

SRCS     := $(filter-out daemon/kpid.c,$(wildcard daemon/*.c daemon/*/*.c drivers/*.c))
OBJS     := $(SRCS:%.c=$(BUILD)/%.o) $(LIB_OBJS)
TEST_LIB := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/lib/*.c))
UNIT     := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))
LAW      += $(patsubst %.c,$(BUILD)/%,$(wildcard tests/law/test_*.c)) $(wildcard tests/law/[0-9]*)
SYSTEM   := $(wildcard tests/system/[0-9]*)
# Those in which threads meet, for ThreadSanitizer.
UNIT_THREADS := $(foreach part,mailbox log ledger writer intake sources api work modbus seals reload,\
                  $(filter $(BUILD)/tests/unit/test_$(part)%,$(UNIT)))
SYSTEM_THREADS := $(addprefix tests/system/,001-start-stop 003-reload 210-modbus-troubles 310-seal)
FUZZ     := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))

# Programs in tools/ that need no rule of their own.
PLAIN_TOOLS := $(foreach main,$(wildcard tools/*/main.c),\
                 $(if $(wildcard $(dir $(main))*.mk),,$(notdir $(patsubst %/,%,$(dir $(main))))))
ALL         += $(addprefix $(BUILD)/,$(PLAIN_TOOLS))
INSTALL_BIN += $(addprefix $(BUILD)/,$(filter kpictl kpi-report,$(PLAIN_TOOLS)))

all: $(ALL)  ## the daemon and its tools (the default)

# --- Compiling and linking

# Changes only when the compiler or its flags do; then everything is built again.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)' | cmp -s - $@ || \
	    echo '$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)' > $@

$(BUILD)/version.h: Makefile
	@mkdir -p $(@D)
	@echo '#define KPID_VERSION "$(VERSION)"' > $@

$(BUILD)/%.o: %.c $(BUILD)/flags | $(GENERATED)
	@mkdir -p $(@D)
	@$(if $(V),:,echo "  CC  $<")
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libkpid.a: $(OBJS)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/libtest.a: $(TEST_LIB)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && ar rcs $@ $^

define link
	@mkdir -p $(@D)
	@$(if $(V),:,echo "  LD  $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter-out %/flags,$^) $(LDLIBS)
endef

$(BUILD)/kpid: $(BUILD)/daemon/kpid.o $(BUILD)/libkpid.a
	$(link)

define plain_tool
$(BUILD)/$(1): $(patsubst %.c,$(BUILD)/%.o,$(wildcard tools/$(1)/*.c)) $(BUILD)/libkpid.a
	$$(link)
endef
$(foreach tool,$(PLAIN_TOOLS),$(eval $(call plain_tool,$(tool))))

$(BUILD)/tests/unit/% $(BUILD)/tests/law/%: private LDLIBS += -lcmocka
$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/libtest.a $(BUILD)/libkpid.a
	$(link)
$(BUILD)/tests/law/%: $(BUILD)/tests/law/%.o $(BUILD)/libtest.a $(BUILD)/libkpid.a
	$(link)

$(BUILD)/tests/fuzz/%: private ALL_LDFLAGS += -fsanitize=fuzzer
$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(BUILD)/libtest.a $(BUILD)/libkpid.a
	$(link)

.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# --- Testing: each line of tests/run is one test, and its last line is the summary.

RUN := KPID_BUILD=$(BUILD) tests/run

check: all $(UNIT) $(LAW)  ## every test of this variant: unit, law, system
	$(Q)$(RUN) $(UNIT) $(LAW) $(SYSTEM)

unit: $(UNIT)  ## the unit tests
	$(Q)$(RUN) $(UNIT)

law: all $(LAW)  ## golden cases, oracle and shuffles
	$(Q)$(RUN) $(LAW)

system: all  ## the real binaries; make system SYSTEM=tests/system/001-start-stop for one
	$(Q)$(RUN) $(SYSTEM)

tests: all $(UNIT) $(LAW)  ## build all that `check` runs

asan:  ## `check` under AddressSanitizer and UBSan
	$(Q)$(MAKE) --no-print-directory VARIANT=asan check

tsan:  ## what threads share, under ThreadSanitizer
	$(Q)$(MAKE) --no-print-directory VARIANT=tsan check-threads

check-threads: all $(UNIT_THREADS)
	$(Q)$(RUN) $(UNIT_THREADS) $(SYSTEM_THREADS)

release:  ## build/release, optimised
	$(Q)$(MAKE) --no-print-directory VARIANT=release all

cov:  ## `check` with coverage; report in build/cov/report
	$(Q)$(MAKE) --no-print-directory VARIANT=cov check
	$(Q)mkdir -p build/cov/report && gcovr --root . --object-directory build/cov \
	    --exclude tests --html-details build/cov/report/index.html --print-summary

FUZZ_SECONDS ?= 20

fuzz:  ## every fuzz target for FUZZ_SECONDS each, from its corpus, with clang's libFuzzer
	$(Q)$(MAKE) --no-print-directory VARIANT=fuzz CC=clang fuzz-run

fuzz-build: $(FUZZ)

fuzz-run: $(FUZZ)
	$(Q)tests/fuzz-run $(FUZZ_SECONDS) $(FUZZ)

bench: release  ## throughput and latency beside their yardsticks, on a release build
	$(Q)KPID_BUILD=build/release tools/bench/run

# --- Reading the code

C_FILES = $(shell git ls-files -c -o --exclude-standard '*.c' '*.h')

format:  ## clang-format everything
	clang-format -i $(C_FILES)

format-check:  ## fail if clang-format would change anything
	clang-format --dry-run --Werror $(C_FILES)

lint: $(GENERATED)  ## what a machine can say about the code, the law's tests and the manual
	$(Q)KPID_BUILD=$(BUILD) CFLAGS_FOR_LINT='$(filter -I% -D%,$(ALL_CFLAGS))' tools/lint

manual: $(BUILD)/kpid  ## print the option tables into man/kpid.conf.5
	$(Q)tools/manual $(BUILD)/kpid

# --- Installing

INSTALL := install -D -p
D := $(DESTDIR)

install: all  ## into DESTDIR, under PREFIX
	$(INSTALL) -m 755 $(BUILD)/kpid $(D)$(SBINDIR)/kpid
	for f in $(INSTALL_BIN); do $(INSTALL) -m 755 $$f $(D)$(BINDIR)/$${f##*/} || exit 1; done
	for f in systemd/*.service systemd/*.socket; do \
	    sed 's,/usr/sbin/,$(SBINDIR)/,g; s,/usr/bin/,$(BINDIR)/,g' $$f | \
	    $(INSTALL) -m 644 /dev/stdin $(D)$(UNITDIR)/$${f##*/} || exit 1; done
	$(INSTALL) -m 644 systemd/sysusers.d/kpid.conf $(D)$(SYSUSERS)/kpid.conf
	$(INSTALL) -m 644 systemd/tmpfiles.d/kpid.conf $(D)$(TMPFILES)/kpid.conf
	for f in man/*.[1-8]; do \
	    $(INSTALL) -m 644 $$f $(D)$(MANDIR)/man$${f##*.}/$${f##*/} || exit 1; done
	for f in README.md CHANGELOG.md LICENSE docs/*.md; do \
	    $(INSTALL) -m 644 $$f $(D)$(DOCDIR)/$${f##*/} || exit 1; done
	tools/setup/install-etc $(D)$(SYSCONFDIR)
	for f in tools/kpictl/*.bash; do [ ! -e $$f ] || $(INSTALL) -m 644 $$f \
	    $(D)$(PREFIX)/share/bash-completion/completions/$$(basename $$f .bash) || exit 1; done

uninstall:  ## remove what `install` brought, but neither configuration nor figures
	rm -f $(D)$(SBINDIR)/kpid $(D)$(SYSUSERS)/kpid.conf $(D)$(TMPFILES)/kpid.conf
	rm -f $(addprefix $(D)$(BINDIR)/,$(notdir $(INSTALL_BIN)))
	rm -f $(addprefix $(D)$(UNITDIR)/,$(notdir $(wildcard systemd/*.service systemd/*.socket)))
	for f in man/*.[1-8]; do rm -f $(D)$(MANDIR)/man$${f##*.}/$${f##*/}; done
	for f in tools/kpictl/*.bash; do \
	    rm -f $(D)$(PREFIX)/share/bash-completion/completions/$$(basename $$f .bash); done
	rm -rf $(D)$(DOCDIR)

check-install: all  ## install into a scratch root and start from there
	$(Q)$(RUN) tests/system/006-install

# --- The rest

# For scripts: make -s print-UNIT
print-%:
	@echo $($*)

clean:  ## remove what was built
	rm -rf build

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

.PHONY: all check check-threads unit law system tests asan tsan release cov fuzz fuzz-run fuzz-build bench format \
        format-check lint manual install uninstall check-install clean help FORCE
FORCE:
