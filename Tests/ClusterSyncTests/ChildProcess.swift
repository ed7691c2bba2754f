import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The built `cluster-sync` binary as a child process.
final class ChildProcess: Sendable {
    struct Result: Sendable {
        let code: Int32
        let output: String
        let errors: String
    }

    struct CannotStart: Error { let reason: String }

    /// The binary stands beside the one that runs the tests.
    static var binary: String {
        let own =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        let folder = own.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let beside = folder + "/cluster-sync"
        let root = String(#filePath.dropLast("/Tests/ClusterSyncTests/ChildProcess.swift".count))
        return FileManager.default.isExecutableFile(atPath: beside) ? beside : root + "/.build/debug/cluster-sync"
    }

    private let pid: pid_t
    private let folder: String

    /// Starts it; its output goes to files, so that no pipe can fill up.
    init(_ arguments: [String], environment: [String: String] = [:]) throws {
        self.folder = FileManager.default.temporaryDirectory.path + "/cluster-sync-child-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (file, name) in [(STDOUT_FILENO, "output"), (STDERR_FILENO, "errors")] {
            posix_spawn_file_actions_addopen(&actions, file, "\(self.folder)/\(name)", O_WRONLY | O_CREAT, 0o600)
        }
        let words = ([Self.binary] + arguments).map { strdup($0) } + [nil]
        let variables = environment.merging(["PATH": "/usr/bin:/bin"]) { $1 }.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in words + variables { free(text) } }
        var pid = pid_t()
        let result = posix_spawn(&pid, Self.binary, &actions, nil, words, variables)
        guard result == 0 else { throw CannotStart(reason: "\(Self.binary): \(String(cString: strerror(result)))") }
        self.pid = pid
    }

    var output: String { (try? String(contentsOfFile: "\(self.folder)/output", encoding: .utf8)) ?? "" }
    var errors: String { (try? String(contentsOfFile: "\(self.folder)/errors", encoding: .utf8)) ?? "" }

    func signal(_ number: Int32) { kill(self.pid, number) }

    /// Waits for the end on a thread of its own, so that no test blocks another.
    func result() async -> Result {
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
        defer { try? FileManager.default.removeItem(atPath: self.folder) }
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
    static func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> Result {
        await (try ChildProcess(arguments, environment: environment)).result()
    }
}
