# SPDX-License-Identifier: GPL-2.0-only
# Headers of the ABI, beside those of the library in <evl/...>.
uapidir = $(includedir)/evl
uapidevdir = $(includedir)/evl/devices
uapinetdir = $(includedir)/evl/net

uapi_HEADERS =				\
	include/uapi/evl/clock-abi.h	\
	include/uapi/evl/control-abi.h	\
	include/uapi/evl/control.h	\
	include/uapi/evl/factory-abi.h	\
	include/uapi/evl/factory.h	\
	include/uapi/evl/fcntl.h	\
	include/uapi/evl/monitor-abi.h	\
	include/uapi/evl/monitor.h	\
	include/uapi/evl/observable-abi.h	\
	include/uapi/evl/poll-abi.h	\
	include/uapi/evl/proxy-abi.h	\
	include/uapi/evl/sched-abi.h	\
	include/uapi/evl/signal.h	\
	include/uapi/evl/syscall-abi.h	\
	include/uapi/evl/thread-abi.h	\
	include/uapi/evl/types.h	\
	include/uapi/evl/xbuf-abi.h

# Of examples, not installed.
EXTRA_DIST += include/uapi/evl/devices/edu.h include/uapi/tiny-core.h

uapidev_HEADERS =			\
	include/uapi/evl/devices/gpio.h	\
	include/uapi/evl/devices/hectic.h	\
	include/uapi/evl/devices/latmus.h	\
	include/uapi/evl/devices/spidev.h

uapinet_HEADERS = include/uapi/evl/net/socket-abi.h
