/* SPDX-License-Identifier: MIT */
/*
 * Asserts are for our own bugs, never for what the host sent. Under CBMC they are
 * proof obligations; with HVK_DEBUG they stop the program; otherwise they are gone.
 */
#ifndef HVK_CORE_ASSERT_H
#define HVK_CORE_ASSERT_H

#if defined(__CPROVER__)
#define HVK_ASSERT(condition) __CPROVER_assert(condition, #condition)
#elif defined(HVK_DEBUG)
#define HVK_ASSERT(condition)             \
	do {                              \
		if (!(condition))         \
			__builtin_trap(); \
	} while (0)
#else
#define HVK_ASSERT(condition) ((void)0)
#endif

#endif
