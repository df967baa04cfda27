/* SPDX-License-Identifier: MIT */
/* The files of page/, as strings: cmake/embed.cmake makes them. */
#ifndef CLI_TRACE_PAGE_H
#define CLI_TRACE_PAGE_H

extern const char trace_page_css[], trace_page_html[], trace_page_js[];

#endif
