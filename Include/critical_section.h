/* Critical sections: short-lived locks on objects that never deadlock (PEP 703).
 *
 *      Py_BEGIN_CRITICAL_SECTION(op);
 *      ...                                 no return, break or goto out of it
 *      Py_END_CRITICAL_SECTION();
 *
 * A section is *suspended* - its locks are released - whenever the thread detaches or blocks on another lock, and taken up
 * again afterwards; so it protects up to the next call that may block or run Python code, as the GIL does.  Of nested sections only
 * the innermost is certain to be held.  A section on the object that the innermost one holds already does nothing.
 * The form for two objects takes their locks in the order of addresses.
 * While the process has one thread, or the GIL is on, sections are recorded but nothing is locked; in a build with the GIL they are empty. */
#ifndef Py_CRITICAL_SECTION_H
#define Py_CRITICAL_SECTION_H

#include "pystate.h"

typedef struct PyCriticalSection {
    struct PyCriticalSection *_cs_previous;     /* [owner] the section around this one */
    PyMutex *_cs_mutex;                         /* NULL: nothing to lock */
    PyMutex *_cs_mutex2;                        /* NULL, or the second one, at the higher address */
    int _cs_state;                              /* [owner] see internal/critical_section.h */
} PyCriticalSection;

typedef struct PyCriticalSection2 {
    PyCriticalSection _cs_base;
} PyCriticalSection2;

PyAPI_FUNC(void) PyCriticalSection_Begin(PyCriticalSection *c, PyObject *op);
PyAPI_FUNC(void) PyCriticalSection_BeginMutex(PyCriticalSection *c, PyMutex *m);
PyAPI_FUNC(void) PyCriticalSection_End(PyCriticalSection *c);
PyAPI_FUNC(void) PyCriticalSection2_Begin(PyCriticalSection2 *c, PyObject *a, PyObject *b);
PyAPI_FUNC(void) PyCriticalSection2_BeginMutex(PyCriticalSection2 *c, PyMutex *m1, PyMutex *m2);
PyAPI_FUNC(void) PyCriticalSection2_End(PyCriticalSection2 *c);

#ifndef Py_GIL_DISABLED
#define Py_BEGIN_CRITICAL_SECTION(op) { (void)(op);
#define Py_END_CRITICAL_SECTION() }
#define Py_BEGIN_CRITICAL_SECTION2(a, b) { (void)(a); (void)(b);
#define Py_END_CRITICAL_SECTION2() }
#define Py_BEGIN_CRITICAL_SECTION_MUT(m) { (void)(m);
#define Py_END_CRITICAL_SECTION_MUT() }
#define Py_BEGIN_CRITICAL_SECTION2_MUT(m1, m2) { (void)(m1); (void)(m2);
#define Py_END_CRITICAL_SECTION2_MUT() }
#elif defined(Py_BUILD_CORE)
#define Py_BEGIN_CRITICAL_SECTION(op) { PyCriticalSection _py_cs; critical_section_begin(&_py_cs, _PyObject_CAST(op));
#define Py_END_CRITICAL_SECTION() critical_section_end(&_py_cs); }
#define Py_BEGIN_CRITICAL_SECTION2(a, b) \
    { PyCriticalSection _py_cs; critical_section_begin2(&_py_cs, _PyObject_CAST(a), _PyObject_CAST(b));
#define Py_END_CRITICAL_SECTION2() critical_section_end(&_py_cs); }
#define Py_BEGIN_CRITICAL_SECTION_MUT(m) { PyCriticalSection _py_cs; critical_section_begin_mutex(&_py_cs, (m));
#define Py_END_CRITICAL_SECTION_MUT() critical_section_end(&_py_cs); }
#define Py_BEGIN_CRITICAL_SECTION2_MUT(m1, m2) \
    { PyCriticalSection _py_cs; critical_section_begin_mutex2(&_py_cs, (m1), (m2));
#define Py_END_CRITICAL_SECTION2_MUT() critical_section_end(&_py_cs); }
#else
#define Py_BEGIN_CRITICAL_SECTION(op) { PyCriticalSection _py_cs; PyCriticalSection_Begin(&_py_cs, _PyObject_CAST(op));
#define Py_END_CRITICAL_SECTION() PyCriticalSection_End(&_py_cs); }
#define Py_BEGIN_CRITICAL_SECTION2(a, b) \
    { PyCriticalSection2 _py_cs; PyCriticalSection2_Begin(&_py_cs, _PyObject_CAST(a), _PyObject_CAST(b));
#define Py_END_CRITICAL_SECTION2() PyCriticalSection2_End(&_py_cs); }
#define Py_BEGIN_CRITICAL_SECTION_MUT(m) { PyCriticalSection _py_cs; PyCriticalSection_BeginMutex(&_py_cs, (m));
#define Py_END_CRITICAL_SECTION_MUT() PyCriticalSection_End(&_py_cs); }
#define Py_BEGIN_CRITICAL_SECTION2_MUT(m1, m2) { PyCriticalSection2 _py_cs; PyCriticalSection2_BeginMutex(&_py_cs, (m1), (m2));
#define Py_END_CRITICAL_SECTION2_MUT() PyCriticalSection2_End(&_py_cs); }
#endif
/* The names of 3.14. */
#define Py_BEGIN_CRITICAL_SECTION_MUTEX Py_BEGIN_CRITICAL_SECTION_MUT
#define Py_BEGIN_CRITICAL_SECTION2_MUTEX Py_BEGIN_CRITICAL_SECTION2_MUT

#ifdef Py_BUILD_CORE
#include "internal/critical_section_inline.h"
#endif

#endif /* Py_CRITICAL_SECTION_H */
