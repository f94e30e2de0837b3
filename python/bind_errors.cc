#include <c10/util/Exception.h>

#include <new>

#include "python/bindings.h"
#include "sequela/core/error.h"

namespace sequela::python {
namespace {

constexpr const char* kOutOfMemory =
    "out of memory. Fix: lower tokens_per_batch, the batch size or num_threads.";

void raise(const char* type, const std::string& message) {
  const py::object error = py::module_::import("sequela.errors").attr(type);
  PyErr_SetString(error.ptr(), message.c_str());
}

void raise_data_error(const DataError& error) {
  const Where& where = error.where();
  const py::object type = py::module_::import("sequela.errors").attr("DataError");
  const py::object instance = type(error.what());
  auto set = [&](const char* name, bool is_known, const py::object& value) {
    instance.attr(name) = is_known ? value : py::none();
  };
  set("path", !where.path.empty(), py::str(where.path));
  set("row_group", where.row_group >= 0, py::int_(where.row_group));
  set("row", where.row >= 0, py::int_(where.row));
  set("column", !where.column.empty(), py::str(where.column));
  set("subject_id", where.subject_id.has_value(), py::int_(where.subject_id.value_or(0)));
  PyErr_SetObject(type.ptr(), instance.ptr());
}

// torch's own failures; a lack of memory is the user's to mend.
void raise_torch_error(const c10::Error& error) {
  const std::string message = error.what_without_backtrace();
  if (message.find("allocate memory") != std::string::npos)
    return raise("ResourceError", kOutOfMemory);
  PyErr_SetString(PyExc_RuntimeError, message.c_str());
}

void translate(std::exception_ptr failure) {
  try {
    if (failure) std::rethrow_exception(failure);
  } catch (const DataError& error) {
    raise_data_error(error);
  } catch (const FileError& error) {
    raise("FileError", error.what());
  } catch (const ConfigError& error) {
    raise("ConfigError", error.what());
  } catch (const ResourceError& error) {
    raise("ResourceError", error.what());
  } catch (const Interrupted& error) {
    PyErr_SetString(PyExc_KeyboardInterrupt, error.what());
  } catch (const Error& error) {
    raise("Error", error.what());
  } catch (const c10::OutOfMemoryError&) {
    raise("ResourceError", kOutOfMemory);
  } catch (const c10::IndexError& error) {
    PyErr_SetString(PyExc_IndexError, error.what_without_backtrace());
  } catch (const c10::Error& error) {
    raise_torch_error(error);
  } catch (const std::bad_alloc&) {
    raise("ResourceError", kOutOfMemory);
  }
}

}  // namespace

void register_errors(py::module_&) {
  py::register_local_exception_translator(translate);
}

}  // namespace sequela::python
