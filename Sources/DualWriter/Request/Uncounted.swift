/// A reference that is used without being counted. Who makes one knows who else keeps the object alive meanwhile.
struct Uncounted<Object: AnyObject> {
    private let reference: Unmanaged<Object>

    @inline(__always)
    init(_ object: Object) { self.reference = .passUnretained(object) }

    @inline(__always)
    init?(_ reference: Unmanaged<Object>?) {
        guard let reference else { return nil }
        self.reference = reference
    }

    @inline(__always)
    init?(_ object: Object?) {
        guard let object else { return nil }
        self.reference = .passUnretained(object)
    }

    /// Looks at the object. A body that captures objects has them counted.
    @inline(__always)
    func callAsFunction<Result>(_ body: (Object) -> Result) -> Result { self.reference._withUnsafeGuaranteedRef(body) }
}
