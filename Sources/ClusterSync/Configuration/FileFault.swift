/// A file that cannot be used.
struct FileFault: Error, Equatable, CustomStringConvertible {
    let path: String
    let reason: String

    var description: String { "\(self.path): \(self.reason)" }
}
