# SPDX-License-Identifier: MIT
# cmake -DOUT=FILE.c -DPREFIX=NAME_ -DFILES=a.css;b.js -P embed.cmake: files as strings, NAME_a_css and so on.
set(text "/* Made by cmake/embed.cmake. */\n")
foreach(file ${FILES})
	get_filename_component(name ${file} NAME)
	string(REPLACE "." "_" name ${name})
	file(READ ${file} bytes HEX)
	string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
	string(REGEX REPLACE "((0x..,)(0x..,)(0x..,)(0x..,)(0x..,)(0x..,)(0x..,)(0x..,))" "\\1\n" bytes "${bytes}")
	string(APPEND text "extern const char ${PREFIX}${name}[];\nconst char ${PREFIX}${name}[] = {\n${bytes}0};\n")
endforeach()
file(WRITE ${OUT} "${text}")
