/* SPDX-License-Identifier: MIT */
#ifndef HVK_CORE_FORMAT_H
#define HVK_CORE_FORMAT_H

#include <stdarg.h>

#include "guest/core/core.h"

void hvk_vformat(char *to, size_t size, const char *format, va_list arguments);

#endif
