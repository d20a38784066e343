/* What the import statements need beyond PyImport_*. */
#ifndef BRAID_INTERPRETER_IMPORTS_H
#define BRAID_INTERPRETER_IMPORTS_H

/* Is this builtins.__import__ as the interpreter made it?  (Then the C function is called directly.) */
int import_is_default(PyObject *import);

/* `from module import name`: the attribute, or the submodule in sys.modules while it is being imported.
 * New reference, or NULL with ImportError in CPython's words. */
PyObject *import_from_module(PyObject *module, PyObject *name);

/* `from module import *` into a mapping. */
int import_all_names(PyObject *locals, PyObject *module);

#endif /* BRAID_INTERPRETER_IMPORTS_H */
