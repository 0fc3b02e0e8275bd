#pragma once
// A machine within the machine for clusters of tests: whatever is made in it is gone when it ends.

#include <filesystem>
#include <functional>
#include <string>

#include <sys/types.h>

namespace datasync::test {

struct Sandbox {
  std::filesystem::path folder;  ///< on the real disk, for data; removed at the end
  std::string cgroup;            ///< "/datasync.PID", there in every cgroup hierarchy; removed at the end
  /// The id, on the machine outside, of the process that holds the namespaces: `nsenter -t PID -n -m -p COMMAND`.
  [[nodiscard]] pid_t pid_outside() const;
};

/// Makes a group below the sandbox's in every hierarchy, as a kubelet wants to find its root.
void make_cgroup(const std::string& name);

/// Runs `body` in network, mount and process namespaces of its own and returns what it returned; 128 + N when a signal
/// N ended it. However it ends (also by Ctrl-C, also by kill -9 of this program), the kernel ends every process in it
/// and takes every mount, network and route with them. Folder and cgroups are removed after that, or by the next
/// sandbox when this program was killed. In it /run, /var/lib and /var/log are empty and writable, TMPDIR is the
/// sandbox's folder, and loopback is the only network.
/// To be called before any thread is started, as root; throws std::runtime_error when namespaces are refused.
int run_in_sandbox(const std::function<int(const Sandbox&)>& body);

}  // namespace datasync::test
