#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The terminal while a view has it: the alternate screen, no cursor, keys as they are pressed. ``leave()`` gives it back as it
/// was.
final class TerminalScreen {
    /// Lines and columns where the terminal does not tell.
    static var fallback: (height: Int, width: Int) { (24, 80) }

    private static var enterText: String { "\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l" }
    private static var leaveText: String { "\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l" }

    private var saved: termios?
    private var isThere = true

    init() {
        var attributes = termios()
        if tcgetattr(STDIN_FILENO, &attributes) == 0 {
            self.saved = attributes
            attributes.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &attributes)
        }
        Output.text(Self.enterText)
    }

    /// Puts everything back; nothing the second time.
    func leave() {
        guard self.isThere else { return }
        self.isThere = false
        Output.text(Self.leaveText)
        if var saved { tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved) }
    }

    deinit { self.leave() }

    /// Lines and columns as they are now.
    var size: (height: Int, width: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0, size.ws_col > 0 else {
            return Self.fallback
        }
        return (Int(size.ws_row), Int(size.ws_col))
    }

    /// Writes the lines over what was there.
    func draw(_ lines: [String]) {
        // One write, so that no half of it is seen; what is left of a longer line or view before is erased.
        Output.text("\u{1B}[H" + lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n") + "\u{1B}[J")
    }

    /// Whether somebody wants to leave: q, Q, Ctrl-C, or the terminal is gone. Does not wait.
    func wantsToLeave() -> Bool {
        // What is no terminal has no keys.
        guard self.saved != nil else { return false }
        var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, 0) > 0 else { return false }
        var keys = [UInt8](repeating: 0, count: 64)
        let count = read(STDIN_FILENO, &keys, keys.count)
        guard count > 0 else { return true }
        return keys[..<count].contains { [UInt8(ascii: "q"), UInt8(ascii: "Q"), 3].contains($0) }
    }
}
