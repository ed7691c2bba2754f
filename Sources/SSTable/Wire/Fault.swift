/// What is wrong with bytes, and where in them; its reader adds the file.
struct Fault: Error {
    enum Kind {
        /// The bytes end too early; so many, from the start of what is read, would do for the next step.
        case short(needed: Int)
        case malformed
        case oversized
        case unsupported
    }

    let kind: Kind
    let what: StaticString
    let detail: String?
    let offset: Int

    init(_ kind: Kind, _ what: StaticString, at offset: Int, detail: String? = nil) {
        self.kind = kind
        self.what = what
        self.detail = detail
        self.offset = offset
    }
}
