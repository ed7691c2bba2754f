#if canImport(Glibc)
import Glibc

/// The built `cluster-sync` binary on a terminal of its own, which a test reads and types into.
package final class PseudoTerminal {
    struct CannotStart: Error { let reason: String }

    private let controller: Int32
    private let device: Int32
    private let pid: pid_t
    private var hasEnded = false
    /// Everything that was written to the terminal so far.
    package private(set) var text = ""

    package init(_ arguments: [String], width: Int, height: Int, environment: [String: String] = [:]) throws {
        let (controller, path) = try Self.make()
        self.controller = controller
        Self.resize(controller, width, height)
        // Kept open, so that its settings can be read when the program has ended.
        self.device = open(path, O_RDWR | O_NOCTTY)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for file in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
            posix_spawn_file_actions_addopen(&actions, file, path, O_RDWR, 0)
        }
        posix_spawn_file_actions_addclose(&actions, controller)
        posix_spawn_file_actions_addclose(&actions, self.device)
        let words = ([ChildProcess.binary] + arguments).map { strdup($0) } + [nil]
        let all = ["PATH": "/usr/bin:/bin", "TERM": "xterm"].merging(environment) { $1 }
        let variables = all.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in words + variables { free(text) } }
        var pid = pid_t()
        let result = posix_spawn(&pid, ChildProcess.binary, &actions, nil, words, variables)
        guard result == 0 else { throw CannotStart(reason: String(cString: strerror(result))) }
        self.pid = pid
    }

    /// A new terminal: the end that controls it, and the path of its device.
    private static func make() throws -> (controller: Int32, path: String) {
        // The functions of POSIX for it are not in the Glibc module; these are what they come to on Linux (ioctl_tty(2)).
        let unlock: UInt = 0x4004_5431
        let getNumber: UInt = 0x8004_5430
        let controller = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var isLocked: Int32 = 0
        var number: Int32 = 0
        guard controller >= 0, ioctl(controller, unlock, &isLocked) == 0, ioctl(controller, getNumber, &number) == 0
        else { throw CannotStart(reason: "no pseudo-terminal: \(String(cString: strerror(errno)))") }
        return (controller, "/dev/pts/\(number)")
    }

    deinit {
        if !self.hasEnded {
            kill(self.pid, SIGKILL)
            var status: Int32 = 0
            waitpid(self.pid, &status, 0)
        }
        close(self.device)
        close(self.controller)
    }

    package func resize(width: Int, height: Int) { Self.resize(self.controller, width, height) }

    private static func resize(_ controller: Int32, _ width: Int, _ height: Int) {
        var size = winsize(ws_row: UInt16(height), ws_col: UInt16(width), ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(controller, UInt(TIOCSWINSZ), &size)
    }

    package func type(_ keys: String) {
        let bytes = Array(keys.utf8)
        _ = write(self.controller, bytes, bytes.count)
    }

    package func signal(_ number: Int32) { kill(self.pid, number) }

    /// Takes up what was written; the last thing that was drawn from the upper left corner on, without colours.
    package func screen() -> [String] {
        var waiting = pollfd(fd: self.controller, events: Int16(POLLIN), revents: 0)
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while poll(&waiting, 1, 0) > 0 {
            let count = read(self.controller, &bytes, bytes.count)
            guard count > 0 else { break }
            self.text += String(decoding: bytes[..<count], as: UTF8.self)
        }
        guard let start = self.text.ranges(of: "\u{1B}[H").last?.upperBound else { return [] }
        let drawn = self.text[start...]
        // A view that is not there as a whole yet is none.
        guard let end = drawn.firstRange(of: "\u{1B}[J")?.lowerBound else { return [] }
        let plain = String(drawn[..<end]).replacing(#/\u{1B}\[[0-9;?]*[A-Za-z]/#, with: "")
        // The terminal makes the line feed of a carriage return and a line feed two characters of its own.
        let lines = plain.replacing("\r\r\n", with: "\r\n").split(separator: "\r\n", omittingEmptySubsequences: false)
        return lines.map { String($0.filter { $0 != "\r" }) }
    }

    /// Whether the terminal shows what is typed and waits for whole lines, as a shell wants it.
    package var isCooked: Bool {
        var attributes = termios()
        guard tcgetattr(self.device, &attributes) == 0 else { return false }
        let wanted = tcflag_t(ECHO | ICANON | ISIG)
        return attributes.c_lflag & wanted == wanted
    }

    /// The exit code where it has ended; nil while it runs.
    package func ended() -> Int32? {
        var status: Int32 = 0
        guard !self.hasEnded, waitpid(self.pid, &status, WNOHANG) == self.pid else { return nil }
        self.hasEnded = true
        _ = self.screen()
        return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    }
}
#endif
