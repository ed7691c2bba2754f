/// Why a text is no statement. The description is worded as Cassandra words it and shows at most one token of the text.
public struct CQLSyntaxError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of mistake it is.
    public struct Code: Sendable, Hashable {
        private let rawValue: UInt8

        /// A token that the grammar does not allow there.
        public static var unexpectedToken: Self { .init(rawValue: 0) }
        /// A character that no token can begin with, or a token that does not end.
        public static var lexical: Self { .init(rawValue: 1) }
        /// Nested deeper than `Parser.maximumDepth`.
        public static var tooDeep: Self { .init(rawValue: 2) }
        /// Well-formed, but contradicting itself: no primary key, two timestamps …
        public static var invalid: Self { .init(rawValue: 3) }
    }

    /// What kind of mistake it is.
    public let code: Code
    /// Line of the mistake, from 1.
    public let line: Int
    /// Column in the line, from 0, counted in characters.
    public let column: Int
    /// What is wrong, without the position.
    public let reason: String

    /// `line 1:7 no viable alternative at input 'x'`.
    public var description: String {
        self.code == .invalid ? self.reason : "line \(self.line):\(self.column) \(self.reason)"
    }
}
