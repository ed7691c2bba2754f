/// Why a journal cannot be opened or read: what, where, and what to do.
public struct JournalError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure. Opaque, so that a new one breaks nobody.
    public struct Code: Sendable, Hashable {
        private enum Value {
            case missing, notAFolder, symbolicLink, denied, inUse, foreign, version, name, configuration, alreadyOpen,
                system
        }
        private let value: Value
        private init(_ value: Value) { self.value = value }

        /// The folder, or the one that it should be made in, does not exist.
        public static var missing: Self { .init(.missing) }
        /// The path names something else than a folder.
        public static var notAFolder: Self { .init(.notAFolder) }
        /// The path names a symbolic link, which could point elsewhere tomorrow.
        public static var symbolicLink: Self { .init(.symbolicLink) }
        /// This user may not read or write it.
        public static var denied: Self { .init(.denied) }
        /// Another process owns the folder.
        public static var inUse: Self { .init(.inUse) }
        /// There are files that are not the journal's.
        public static var foreign: Self { .init(.foreign) }
        /// A newer program wrote it.
        public static var version: Self { .init(.version) }
        /// A log cannot have that name.
        public static var name: Self { .init(.name) }
        /// A value of the configuration is outside its limits.
        public static var configuration: Self { .init(.configuration) }
        /// The log is open in this process.
        public static var alreadyOpen: Self { .init(.alreadyOpen) }
        /// A system call failed.
        public static var system: Self { .init(.system) }
    }

    /// The kind of failure.
    public let code: Code
    /// The file or folder.
    public let path: String
    /// What is wrong, where, and what to do.
    public let description: String

    init(_ code: Code, _ path: String, _ description: String) {
        self.code = code
        self.path = path
        self.description = description
    }

    /// A system call failed on `path`.
    static func failed(_ call: String, _ path: String, _ number: Int32) -> Self {
        let code: Code = SystemCalls.isDenial(number) ? .denied : .system
        let advice = code == .denied ? "; let the user of this process read and write it" : ""
        return Self(code, path, "\(call) of '\(path)' failed: \(SystemCalls.reason(number))\(advice)")
    }
}
