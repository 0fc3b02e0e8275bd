// C11 threads by POSIX threads, for builds with ThreadSanitizer alone. librdkafka makes its threads and locks by
// <threads.h>, whose functions g++ 12's ThreadSanitizer does not know: a thread made so crashes in its first
// allocation, and what passes through such a lock looks like a race. The linker prefers these to libc's. In glibc the
// types of both families are the same memory (thrd_t is pthread_t; mtx_t and cnd_t hold pthread_mutex_t and
// pthread_cond_t).

#include <cerrno>
#include <cstdint>
#include <memory>

#include <pthread.h>
#include <threads.h>

static_assert(sizeof(mtx_t) >= sizeof(pthread_mutex_t) && sizeof(cnd_t) >= sizeof(pthread_cond_t));

namespace {

struct Start {
  thrd_start_t function;
  void* argument;
};

void* run(void* opaque) {
  const std::unique_ptr<Start> start(static_cast<Start*>(opaque));
  return reinterpret_cast<void*>(static_cast<std::intptr_t>(start->function(start->argument)));
}

pthread_mutex_t* native(mtx_t* m) {
  return reinterpret_cast<pthread_mutex_t*>(m);
}
pthread_cond_t* native(cnd_t* c) {
  return reinterpret_cast<pthread_cond_t*>(c);
}
int told(int error) {
  return error == 0 ? thrd_success : error == ETIMEDOUT ? thrd_timedout : error == EBUSY ? thrd_busy : thrd_error;
}

}  // namespace

extern "C" {

int thrd_create(thrd_t* thread, thrd_start_t function, void* argument) {
  auto start = std::make_unique<Start>(Start{function, argument});
  const int error = pthread_create(thread, nullptr, run, start.get());
  if (error == 0) (void)start.release();
  return told(error);
}
int thrd_join(thrd_t thread, int* result) {
  void* value = nullptr;
  const int error = pthread_join(thread, &value);
  if (result != nullptr) *result = static_cast<int>(reinterpret_cast<std::intptr_t>(value));
  return told(error);
}

int mtx_init(mtx_t* m, int type) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  if ((static_cast<unsigned>(type) & static_cast<unsigned>(mtx_recursive)) != 0)
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  return told(pthread_mutex_init(native(m), &attributes));
}
int mtx_lock(mtx_t* m) {
  return told(pthread_mutex_lock(native(m)));
}
int mtx_unlock(mtx_t* m) {
  return told(pthread_mutex_unlock(native(m)));
}
void mtx_destroy(mtx_t* m) {
  pthread_mutex_destroy(native(m));
}

int cnd_init(cnd_t* c) {
  return told(pthread_cond_init(native(c), nullptr));
}
int cnd_signal(cnd_t* c) {
  return told(pthread_cond_signal(native(c)));
}
int cnd_broadcast(cnd_t* c) {
  return told(pthread_cond_broadcast(native(c)));
}
int cnd_wait(cnd_t* c, mtx_t* m) {
  return told(pthread_cond_wait(native(c), native(m)));
}
int cnd_timedwait(cnd_t* c, mtx_t* m, const timespec* until) {
  return told(pthread_cond_timedwait(native(c), native(m), until));
}
void cnd_destroy(cnd_t* c) {
  pthread_cond_destroy(native(c));
}

}  // extern "C"
