import ArgumentParser

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What the program's exit codes mean; the numbers are those of sysexits.h, and docs/exit-codes.md has all of them.
enum Exit {
    /// The command did its work and its answer is no: clusters differ, a change was refused.
    static let negative = ExitCode(1)
    /// The command line is wrong (ArgumentParser uses it too).
    static let usage = ExitCode(64)
    /// A file that was named is damaged, or not of a kind that is read.
    static let data = ExitCode(65)
    /// A file that was named is not there or cannot be read.
    static let input = ExitCode(66)
    /// What is needed cannot be reached: the admin port, an address to listen on.
    static let unavailable = ExitCode(69)
    /// A fault of this program.
    static let software = ExitCode(70)
    /// The state folder cannot be used.
    static let state = ExitCode(73)
    /// The sidecar has stopped and a cluster does not have all writes that it is owed, a load before everything was done, or a
    /// comparison does not know everything.
    static let undelivered = ExitCode(74)
    /// Another process owns the state folder.
    static let locked = ExitCode(75)
    /// The token is missing or wrong.
    static let permission = ExitCode(77)
    /// The configuration is wrong.
    static let configuration = ExitCode(78)

    /// All of them but 0.
    static let all = [
        negative, usage, data, input, unavailable, software, state, undelivered, locked, permission, configuration,
    ]
}

/// Ends a command with words on standard error.
func fail(_ code: ExitCode, _ message: String) -> ExitCode {
    Output.error("cluster-sync: \(message)")
    return code
}

/// The two streams of a command.
enum Output {
    /// Writes a line to standard output.
    static func line(_ text: String = "") { self.write(text + "\n", to: STDOUT_FILENO) }

    /// Writes a text as it is to standard output.
    static func text(_ text: String) { self.write(text, to: STDOUT_FILENO) }

    /// Writes bytes to standard output; false where they cannot all be written.
    static func bytes(_ bytes: UnsafeRawBufferPointer) -> Bool { self.write(bytes, to: STDOUT_FILENO) }

    /// Writes a line to standard error.
    static func error(_ text: String) { self.write(text + "\n", to: STDERR_FILENO) }

    /// Writes a text as it is to standard error.
    static func errorText(_ text: String) { self.write(text, to: STDERR_FILENO) }

    private static func write(_ text: String, to file: Int32) {
        Array(text.utf8).withUnsafeBytes { _ = self.write($0, to: file) }
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, to file: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = self.writeBytes(file, rest)
            guard count > 0 else { return false }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
        return true
    }

    private static func writeBytes(_ file: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        while true {
            #if canImport(Glibc)
            let count = Glibc.write(file, bytes.baseAddress, bytes.count)
            #elseif canImport(Musl)
            let count = Musl.write(file, bytes.baseAddress, bytes.count)
            #else
            let count = Darwin.write(file, bytes.baseAddress, bytes.count)
            #endif
            if count >= 0 || errno != EINTR { return count }
        }
    }
}
