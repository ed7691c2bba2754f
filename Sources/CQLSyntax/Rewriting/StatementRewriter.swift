/// Changes to the text of a statement that keep everything else byte for byte.
public enum StatementRewriter {
    /// A text without its conditions.
    public struct Unconditional: Sendable, Hashable {
        /// The text.
        public let text: String
        /// Indices of the original markers that are still in the text, in order.
        public let keptMarkers: [Int]
    }

    /// Removes the `IF` clause of an INSERT, UPDATE or DELETE, or of every child of a text batch.
    ///
    /// Returns nil where the text does not parse, is not such a statement, or has no condition.
    public static func unconditional(_ text: String) -> Unconditional? { nil }
}
