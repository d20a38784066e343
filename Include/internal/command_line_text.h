/* The texts of --help. */
#ifndef BRAID_COMMAND_LINE_TEXT_H
#define BRAID_COMMAND_LINE_TEXT_H

#define USAGE_LINE "usage: %s [option] ... [-c cmd | -m mod | file | -] [arg] ...\n"

#define HELP_OPTIONS \
    "Options (and the environment variables with the same effect):\n" \
    "-b     : warn about str(bytes) and comparing bytes with str or int (-bb: raise errors)\n" \
    "-B     : write no bytecode files (PYTHONDONTWRITEBYTECODE=1)\n" \
    "-c cmd : run the program given as a string (ends the options)\n" \
    "-d     : parser debugging; has no effect in this interpreter (PYTHONDEBUG=1)\n" \
    "-E     : ignore the PYTHON* environment variables\n" \
    "-h     : show this text and leave (--help, -?)\n" \
    "-i     : go to the interactive prompt after the program (PYTHONINSPECT=1)\n" \
    "-I     : isolate from the user's environment (implies -E, -P and -s)\n" \
    "-m mod : run a library module as a program (ends the options)\n" \
    "-O     : leave out assert statements and code that tests __debug__ (PYTHONOPTIMIZE=1)\n" \
    "-OO    : -O, and drop documentation strings (PYTHONOPTIMIZE=2)\n" \
    "-P     : do not put a directory that may be unsafe first in sys.path (PYTHONSAFEPATH=1)\n" \
    "-q     : no version and copyright at the interactive prompt\n" \
    "-R     : random hashes of str and bytes, whatever PYTHONHASHSEED says\n" \
    "-s     : leave the user's site directory out of sys.path (PYTHONNOUSERSITE=1)\n" \
    "-S     : do not import site at start-up\n" \
    "-u     : unbuffered standard output and error (PYTHONUNBUFFERED=1)\n" \
    "-v     : tell about imports; twice: also about files tried (PYTHONVERBOSE=1)\n" \
    "-V     : show the version and leave (--version); twice: more of it\n" \
    "-W arg : a filter for warnings, action:message:category:module:lineno (PYTHONWARNINGS=arg)\n" \
    "-x     : skip the first line of the program\n" \
    "-X opt : an option of this implementation; see --help-xoptions\n" \
    "--check-hash-based-pycs always|default|never : how bytecode files with hashes are checked\n" \
    "--help-env      : environment variables\n" \
    "--help-xoptions : options of -X\n" \
    "--help-all      : all of this\n" \
    "\nArguments:\n" \
    "file   : a program to read from a file, directory or zip file\n" \
    "-      : a program to read from standard input (the default; interactive on a terminal)\n" \
    "arg ...: arguments for the program, in sys.argv[1:]\n"

#define HELP_ENVIRONMENT \
    "Environment variables that change the behaviour:\n" \
    "PYTHONSTARTUP   : file executed before the interactive prompt\n" \
    "PYTHONPATH      : directories, separated by ':', put before the library in sys.path\n" \
    "PYTHONHOME      : other place of the library: PYTHONHOME/lib/python3.11\n" \
    "PYTHONSAFEPATH  : see -P\n" \
    "PYTHONPLATLIBDIR : value of sys.platlibdir\n" \
    "PYTHONUTF8      : 1: UTF-8 for all text, whatever the locale\n" \
    "PYTHONIOENCODING : encoding[:errors] of stdin, stdout and stderr\n" \
    "PYTHONGIL, PYTHON_GIL : 1: run with the global interpreter lock; 0: without it, whatever is imported\n" \
    "PYTHONDEADLOCK  : off, report or raise: see -X deadlock\n" \
    "PYTHONHASHSEED  : random, or a number that makes the hashes of str and bytes repeatable\n" \
    "PYTHONINTMAXSTRDIGITS : limit of digits in conversions between int and str; 0: none\n" \
    "PYTHONFAULTHANDLER : show tracebacks on fatal signals\n" \
    "PYTHONTRACEMALLOC : trace memory blocks, with so many frames\n" \
    "PYTHONDEVMODE   : development mode: more checks and warnings\n" \
    "PYTHONPYCACHEPREFIX : directory for bytecode files\n" \
    "PYTHONWARNDEFAULTENCODING : EncodingWarning where the locale's encoding is used by default\n" \
    "PYTHONBREAKPOINT : what breakpoint() calls; 0: nothing\n" \
    "PYTHONCOERCECLOCALE : 0: keep the C locale\n" \
    "PYTHONDEBUG, PYTHONDONTWRITEBYTECODE, PYTHONINSPECT, PYTHONNOUSERSITE, PYTHONOPTIMIZE,\n" \
    "PYTHONUNBUFFERED, PYTHONVERBOSE, PYTHONWARNINGS, PYTHONPROFILEIMPORTTIME : see --help and --help-xoptions\n"

#define HELP_XOPTIONS \
    "Options of -X:\n" \
    "-X gil=0|1        : run without or with the global interpreter lock (PYTHONGIL)\n" \
    "-X gcstats        : report the pauses of the cycle collector at exit\n" \
    "-X deadlock=off|report|raise : threads that wait for each other in a circle: say nothing, say so on standard error\n" \
    "                    with their stacks (the default), or raise RuntimeError in one of them as well (PYTHONDEADLOCK)\n" \
    "-X dev            : development mode (PYTHONDEVMODE)\n" \
    "-X frozen_modules=on|off : import frozen modules, or those of the library in their place\n" \
    "-X faulthandler   : tracebacks on fatal signals (PYTHONFAULTHANDLER)\n" \
    "-X importtime     : report how long each import takes (PYTHONPROFILEIMPORTTIME)\n" \
    "-X int_max_str_digits=n : limit of digits in int conversions (PYTHONINTMAXSTRDIGITS)\n" \
    "-X no_debug_ranges : accepted; column positions are always kept\n" \
    "-X pycache_prefix=dir : directory for bytecode files (PYTHONPYCACHEPREFIX)\n" \
    "-X tracemalloc[=n] : trace memory blocks (PYTHONTRACEMALLOC)\n" \
    "-X utf8[=0|1]     : UTF-8 mode (PYTHONUTF8)\n" \
    "-X warn_default_encoding : EncodingWarning for default encodings (PYTHONWARNDEFAULTENCODING)\n"

#endif /* BRAID_COMMAND_LINE_TEXT_H */
