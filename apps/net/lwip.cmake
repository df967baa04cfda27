# SPDX-License-Identifier: MIT
# The library target `lwip` out of LWIP_DIR, the unpacked source package
# (scripts/fetch-lwip), built with our own options.

if(NOT EXISTS "${LWIP_DIR}/src/include/lwip/init.h")
	message(FATAL_ERROR "lwIP is not in LWIP_DIR (\"${LWIP_DIR}\"); get it with: scripts/fetch-lwip \"${LWIP_DIR}\"")
endif()

set(lwip_core def dns inet_chksum init ip mem memp netif pbuf raw stats sys tcp tcp_in tcp_out timeouts udp)
set(lwip_ipv4 dhcp etharp icmp ip4 ip4_addr ip4_frag)
list(TRANSFORM lwip_core PREPEND "${LWIP_DIR}/src/core/")
list(TRANSFORM lwip_ipv4 PREPEND "${LWIP_DIR}/src/core/ipv4/")
set(lwip_sources ${lwip_core} ${lwip_ipv4} "${LWIP_DIR}/src/netif/ethernet" "${LWIP_DIR}/src/apps/http/http_client")
list(TRANSFORM lwip_sources APPEND ".c")

add_library(lwip STATIC ${lwip_sources})
# System headers: what they would be warned about is not ours to mend.
target_include_directories(lwip SYSTEM PUBLIC "${LWIP_DIR}/src/include")
target_include_directories(lwip PUBLIC "${CMAKE_CURRENT_LIST_DIR}/include")
target_compile_options(lwip PRIVATE -w)
