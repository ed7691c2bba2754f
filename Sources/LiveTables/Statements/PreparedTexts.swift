package import CQLClient
import Synchronization

/// Statements by their texts, each prepared once. Writers of one session share it.
public final class PreparedTexts: Sendable {
    /// Texts that are kept. A table has few shapes; whoever has more prepares some of them anew.
    package static let textsMax = 4_096

    private let known = Mutex<[String: CQLStatement]>([:])

    /// Nothing yet.
    public init() {}

    package func statement(_ text: String) -> CQLStatement? { self.known.withLock { $0[text] } }

    package func keep(_ statement: CQLStatement) {
        self.known.withLock { known in
            if known.count >= Self.textsMax { known.removeAll() }
            known[statement.text] = statement
        }
    }
}
