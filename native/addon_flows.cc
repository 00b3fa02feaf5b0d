/*
 * addon_flows.cc - the table in bulk. Entries travel as bytes in memory that JavaScript owns, in the
 * layout of odst_entry; src/table/record.ts reads them there. Long reads run on a thread of the pool.
 */
#include <cerrno>

#include "marshal.h"

extern "C" {
#include "attempt.h"
#include "flows.h"
}

namespace odst {
namespace {

const odst_kernel *kernel = &odst_host_kernel;

Napi::Value LastStep(Napi::Env env, const odst_attempt &attempt) {
  if (attempt.nsteps == 0) return env.Null();
  return FromStep(env, attempt.steps[attempt.nsteps - 1]);
}

/* The bytes of a Uint8Array as whole entries. */
struct Entries {
  odst_entry *at;
  size_t count;
};

Entries ToEntries(const Napi::Value &value) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
    throw Napi::TypeError::New(value.Env(), "entries lie in a Uint8Array");
  Napi::Uint8Array bytes = value.As<Napi::Uint8Array>();
  if (reinterpret_cast<uintptr_t>(bytes.Data()) % alignof(odst_entry) != 0)
    throw Napi::TypeError::New(value.Env(), "entries begin at a multiple of 4 bytes");
  return {reinterpret_cast<odst_entry *>(bytes.Data()), bytes.ByteLength() / sizeof(odst_entry)};
}

/* One reading call on a thread of the pool; the promise gets what `finish` makes of it. */
class Reading : public Napi::AsyncWorker {
 public:
  Reading(Napi::Env env, const Napi::Value &buffer)
      : Napi::AsyncWorker(env), entries_(ToEntries(buffer)),
        buffer_(Napi::Persistent(buffer.As<Napi::Object>())),
        deferred_(Napi::Promise::Deferred::New(env)) {
    if (entries_.count < ODST_DATAGRAM_ENTRIES)
      throw Napi::RangeError::New(env, "there is no room for the entries of one datagram");
  }
  Napi::Promise Start() {
    Napi::Promise promise = deferred_.Promise();
    Queue();
    return promise;
  }

 protected:
  void OnOK() override {
    Napi::HandleScope scope(Env());
    deferred_.Resolve(Finish(Env()));
  }
  void OnError(const Napi::Error &error) override { deferred_.Reject(error.Value()); }
  virtual Napi::Value Finish(Napi::Env env) = 0;
  Entries entries_;

 private:
  Napi::ObjectReference buffer_;
  Napi::Promise::Deferred deferred_;
};

class TableReading : public Reading {
 public:
  TableReading(Napi::Env env, odst_table *table, const Napi::Value &buffer)
      : Reading(env, buffer), table_(table) {}
  void Execute() override { count_ = odst_table_read(kernel, table_, entries_.at, entries_.count); }

 protected:
  Napi::Value Finish(Napi::Env env) override {
    odst_attempt attempt = {};
    if (count_ < 0) odst_record(&attempt, "ctnetlink dump", "conntrack", count_);
    Napi::Object answer = Napi::Object::New(env);
    answer.Set("count", static_cast<double>(count_ < 0 ? 0 : count_));
    answer.Set("over", table_->over);
    answer.Set("failure", LastStep(env, attempt));
    return answer;
  }

 private:
  odst_table *table_;
  long count_ = 0;
};

class EventReading : public Reading {
 public:
  EventReading(Napi::Env env, int fd, int milliseconds, const Napi::Value &buffer)
      : Reading(env, buffer), fd_(fd), milliseconds_(milliseconds) {}
  void Execute() override {
    heard_ = odst_events_read(kernel, fd_, milliseconds_, entries_.at, entries_.count);
  }

 protected:
  Napi::Value Finish(Napi::Env env) override {
    odst_attempt attempt = {};
    if (heard_.count < 0) odst_record(&attempt, "receive", "ctnetlink events", heard_.count);
    Napi::Object answer = Napi::Object::New(env);
    answer.Set("count", static_cast<double>(heard_.count < 0 ? 0 : heard_.count));
    answer.Set("lost", static_cast<double>(heard_.lost));
    answer.Set("overrun", heard_.overrun);
    answer.Set("failure", LastStep(env, attempt));
    return answer;
  }

 private:
  int fd_, milliseconds_;
  odst_heard heard_ = {};
};

odst_table *ToTable(const Napi::Value &value) {
  if (!value.IsExternal()) throw Napi::TypeError::New(value.Env(), "that is no open table");
  return value.As<Napi::External<odst_table>>().Data();
}

void Release(Napi::Env, odst_table *table) {
  odst_table_close(kernel, table);
  delete table;
}

uint32_t ToNumber(const Napi::Value &value) {
  return value.IsNumber() ? value.As<Napi::Number>().Uint32Value() : 0;
}

/* openTable({family, statusMask, statusValue}, netns?) -> {table | null, steps} */
Napi::Value OpenTable(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  if (!info[0].IsObject()) throw Napi::TypeError::New(env, "openTable(selection)");
  Napi::Object wanted = info[0].As<Napi::Object>();
  odst_selection selection = {static_cast<uint8_t>(ToNumber(wanted.Get("family"))),
                              ToNumber(wanted.Get("statusMask")),
                              ToNumber(wanted.Get("statusValue"))};
  odst_attempt attempt = {};
  odst_table opened = {};
  bool open = false;
  InNamespace(info[1], &attempt,
              [&] { open = odst_table_open(kernel, &selection, &opened, &attempt); });
  Napi::Object answer = Napi::Object::New(env);
  answer.Set("table", open ? Napi::Value(Napi::External<odst_table>::New(
                                 env, new odst_table(opened), Release))
                           : env.Null());
  answer.Set("steps", FromSteps(env, attempt));
  return answer;
}

/* readTable(table, buffer) -> Promise<{count, over, failure: step | null}>; one at a time */
Napi::Value ReadTable(const Napi::CallbackInfo &info) {
  return (new TableReading(info.Env(), ToTable(info[0]), info[1]))->Start();
}

/* closeTable(table); not while a reading is under way */
Napi::Value CloseTable(const Napi::CallbackInfo &info) {
  odst_table_close(kernel, ToTable(info[0]));
  return info.Env().Undefined();
}

/* openEvents(bufferBytes, netns?) -> {fd | null, steps}; the caller closes it */
Napi::Value OpenEvents(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  uint32_t buffer = ToNumber(info[0]);
  odst_attempt attempt = {};
  long fd = -1;
  InNamespace(info[1], &attempt, [&] { fd = odst_events_open(kernel, buffer, &attempt); });
  Napi::Object answer = Napi::Object::New(env);
  answer.Set("fd", fd < 0 ? env.Null() : Napi::Number::New(env, static_cast<double>(fd)));
  answer.Set("steps", FromSteps(env, attempt));
  return answer;
}

/* readEvents(fd, buffer, ms) -> Promise<{count, lost, overrun, failure: step | null}> */
Napi::Value ReadEvents(const Napi::CallbackInfo &info) {
  int milliseconds = static_cast<int>(ToNumber(info[2]));
  return (new EventReading(info.Env(), ToDescriptor(info[0]), milliseconds, info[1]))->Start();
}

/* lookupEntries(questions, netns?) -> steps; each question becomes its entry, or gets its error */
Napi::Value LookupEntries(const Napi::CallbackInfo &info) {
  Entries questions = ToEntries(info[0]);
  odst_attempt attempt = {};
  InNamespace(info[1], &attempt,
              [&] { odst_lookup_entries(kernel, questions.at, questions.count, &attempt); });
  return FromSteps(info.Env(), attempt);
}

/* lookupSockets(fds: Int32Array, endpoints: Uint8Array of 24 bytes each, errnos: Int32Array) */
Napi::Value LookupSockets(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  Napi::Int32Array fds = info[0].As<Napi::Int32Array>();
  Napi::Uint8Array endpoints = info[1].As<Napi::Uint8Array>();
  Napi::Int32Array errors = info[2].As<Napi::Int32Array>();
  size_t count = fds.ElementLength();
  if (errors.ElementLength() < count || endpoints.ByteLength() < count * sizeof(odst_endpoint))
    throw Napi::RangeError::New(env, "the answers do not fit");
  odst_lookup_sockets(kernel, fds.Data(), count,
                      reinterpret_cast<odst_endpoint *>(endpoints.Data()), errors.Data());
  return env.Undefined();
}

/* The memory in which lookupSocket leaves its answer, one for each thread that loads the addon. */
struct Answer {
  alignas(odst_endpoint) unsigned char bytes[sizeof(odst_endpoint)];
};

/*
 * lookupSocket(fd) -> errno of the call, 0 with the endpoint in the bytes that `answer` had. Raw
 * Node-API: a wrapper's checks would cost as much as the system call.
 */
napi_value LookupSocket(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument, result;
  void *data = nullptr;
  int32_t fd = -1, error = EBADF;
  napi_get_cb_info(env, info, &count, &argument, nullptr, &data);
  if (count == 1 && napi_get_value_int32(env, argument, &fd) == napi_ok)
    odst_lookup_sockets(kernel, &fd, 1,
                        reinterpret_cast<odst_endpoint *>(static_cast<Answer *>(data)->bytes),
                        &error);
  napi_create_int32(env, error, &result);
  return result;
}

/* socketLookup() -> {bytes: Uint8Array, ask(fd): errno}, which share their memory */
Napi::Value SocketLookup(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  Napi::ArrayBuffer memory = Napi::ArrayBuffer::New(env, sizeof(Answer));
  napi_value ask;
  if (napi_create_function(env, "ask", NAPI_AUTO_LENGTH, LookupSocket, memory.Data(), &ask) !=
      napi_ok)
    throw Napi::Error::New(env, "the function could not be made");
  /* The function writes into the memory, so it keeps it. */
  Napi::Function function(env, ask);
  function.DefineProperty(Napi::PropertyDescriptor::Value("memory", memory));
  Napi::Object answer = Napi::Object::New(env);
  answer.Set("bytes", Napi::Uint8Array::New(env, sizeof(odst_endpoint), memory, 0));
  answer.Set("ask", function);
  return answer;
}

/* errorName(errno) -> this system's name for it, or null */
Napi::Value ErrorName(const Napi::CallbackInfo &info) {
  const char *name = odst_errno_name(static_cast<int>(ToNumber(info[0])));
  return name == nullptr ? info.Env().Null() : Napi::Value(Napi::String::New(info.Env(), name));
}

}  // namespace

void ExportFlows(Napi::Env env, Napi::Object exports) {
  exports.Set("openTable", Napi::Function::New(env, OpenTable, "openTable"));
  exports.Set("readTable", Napi::Function::New(env, ReadTable, "readTable"));
  exports.Set("closeTable", Napi::Function::New(env, CloseTable, "closeTable"));
  exports.Set("openEvents", Napi::Function::New(env, OpenEvents, "openEvents"));
  exports.Set("readEvents", Napi::Function::New(env, ReadEvents, "readEvents"));
  exports.Set("lookupEntries", Napi::Function::New(env, LookupEntries, "lookupEntries"));
  exports.Set("lookupSockets", Napi::Function::New(env, LookupSockets, "lookupSockets"));
  exports.Set("socketLookup", Napi::Function::New(env, SocketLookup, "socketLookup"));
  exports.Set("errorName", Napi::Function::New(env, ErrorName, "errorName"));
}

}  // namespace odst
