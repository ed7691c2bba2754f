import FoundationEssentials
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The built `cluster-sync` binary as a child process. It does not outlive whoever holds it.
package final class ChildProcess: Sendable {
    package struct Result: Sendable {
        package let code: Int32
        package let output: String
        package let errors: String
    }

    struct CannotStart: Error { let reason: String }

    /// The binary stands beside the one that runs the tests; `CLUSTER_SYNC_TEST_BINARY` names another one, such as a release build.
    static var binary: String {
        if let other = ProcessInfo.processInfo.environment["CLUSTER_SYNC_TEST_BINARY"] { return other }
        let own =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        let folder = own.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let beside = folder + "/cluster-sync"
        return FileManager.default.isExecutableFile(atPath: beside)
            ? beside : Repository.root + "/.build/debug/cluster-sync"
    }

    package let pid: Int32
    private let folder: TemporaryFolder
    private let hasEnded = Atomic(false)

    /// Starts it; its output goes to files, so that no pipe can fill up.
    ///
    /// - Parameter fileKibibytesMax: how large a file may become, its output too: what it writes behind that fails, as on a full
    ///   disk. Nil for no limit.
    package init(_ arguments: [String], environment: [String: String] = [:], fileKibibytesMax: Int? = nil) throws {
        self.folder = try TemporaryFolder()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (file, name) in [(STDOUT_FILENO, "output"), (STDERR_FILENO, "errors")] {
            posix_spawn_file_actions_addopen(&actions, file, "\(self.folder.path)/\(name)", O_WRONLY | O_CREAT, 0o600)
        }
        // The child must not hold the sockets of the tests: a port stays taken as long as anybody has it open. New sockets get the
        // lowest free numbers, so that a few more make up for those that are opened meanwhile. Closing what is not open is no error.
        let open =
            (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }) ?? []
        for file in (STDERR_FILENO + 1)...(64 + (open.max() ?? STDERR_FILENO)) {
            posix_spawn_file_actions_addclose(&actions, file)
        }
        var command = [Self.binary] + arguments
        if let fileKibibytesMax {
            command = ["/bin/bash", "-c", "ulimit -f \(fileKibibytesMax) && exec \"$0\" \"$@\""] + command
        }
        let words = command.map { strdup($0) } + [nil]
        let variables = environment.merging(["PATH": "/usr/bin:/bin"]) { $1 }.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in words + variables { free(text) } }
        var pid = pid_t()
        let result = posix_spawn(&pid, command[0], &actions, nil, words, variables)
        guard result == 0 else { throw CannotStart(reason: "\(command[0]): \(String(cString: strerror(result)))") }
        self.pid = pid
    }

    deinit {
        guard !self.hasEnded.load(ordering: .relaxed) else { return }
        kill(self.pid, SIGKILL)
        var status: Int32 = 0
        waitpid(self.pid, &status, 0)
    }

    package var output: String { (try? String(contentsOfFile: "\(self.folder.path)/output", encoding: .utf8)) ?? "" }
    package var errors: String { (try? String(contentsOfFile: "\(self.folder.path)/errors", encoding: .utf8)) ?? "" }

    /// Nothing where it has ended: its number may be another's.
    package func signal(_ number: Int32) {
        if !self.hasEnded.load(ordering: .relaxed) { kill(self.pid, number) }
    }

    /// Waits for the end on a thread of its own, so that no test blocks another.
    package func result() async -> Result {
        let pid = self.pid
        let status: Int32 = await withCheckedContinuation { continuation in
            var thread = pthread_t()
            let box = Unmanaged.passRetained(Waiter(pid: pid, continuation: continuation))
            pthread_create(
                &thread,
                nil,
                { argument in
                    guard let argument else { return nil }
                    let waiter = Unmanaged<Waiter>.fromOpaque(argument).takeRetainedValue()
                    var status: Int32 = 0
                    while waitpid(waiter.pid, &status, 0) < 0, errno == EINTR {}
                    waiter.continuation.resume(returning: status)
                    return nil
                },
                box.toOpaque()
            )
            pthread_detach(thread)
        }
        let code = status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
        self.hasEnded.store(true, ordering: .relaxed)
        return Result(code: code, output: self.output, errors: self.errors)
    }

    private final class Waiter {
        let pid: pid_t
        let continuation: CheckedContinuation<Int32, Never>

        init(pid: pid_t, continuation: CheckedContinuation<Int32, Never>) {
            self.pid = pid
            self.continuation = continuation
        }
    }

    /// Runs a command to its end.
    package static func run(
        _ arguments: [String],
        environment: [String: String] = [:],
        fileKibibytesMax: Int? = nil
    ) async throws -> Result {
        await (try ChildProcess(arguments, environment: environment, fileKibibytesMax: fileKibibytesMax)).result()
    }
}
