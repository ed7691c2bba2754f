/// What the loader's admin port asks of the loader. The command implements it; this module knows no cluster.
///
/// Every call may come at any time and several at once: what decides and what remembers the decision are one step
/// (``LoaderRun`` does it so). None waits for a load to end.
public protocol LoaderControl: LoaderIndexControl {
    /// The health document.
    func health() async -> LoaderHealthDocument

    /// Whether it can be told to do something. A load that is not running is no reason against.
    func readiness() async -> Readiness

    /// Everything at one moment.
    func status() async -> LoaderStatus

    /// Begins a load and returns once it is accepted, long before it has ended.
    ///
    /// - Throws: ``AdminError/Code/alreadyRunning`` while one runs, is paused or is being stopped;
    ///   ``AdminError/Code/unknownKeyspace`` or ``AdminError/Code/unknownTable`` for what the source has not.
    func start(_ start: LoaderStart) async throws(AdminError) -> LoaderActionDocument

    /// Ends, pauses or resumes the load; what it holds is given back, and what is done stays done.
    ///
    /// - Throws: ``AdminError/Code/notRunning`` where there is nothing to do that with.
    func perform(_ action: LoaderAction) async throws(AdminError) -> LoaderActionDocument

    /// What of a keyspace can be loaded.
    func discover(keyspace: String) async throws(AdminError) -> DiscoveryDocument
}

/// What the loader's admin port asks about the target's secondary indexes.
public protocol LoaderIndexControl: Sendable {
    /// Where each recorded index is now.
    func indexes() async throws(AdminError) -> IndexesDocument

    /// Whether every recorded index is there, as it was.
    func verifyIndexes() async throws(AdminError) -> IndexesVerifiedDocument

    /// Drops the indexes of what is to be loaded, or makes again what is recorded as dropped, by whichever job. Returns when the
    /// target has taken the statements, before it has built anything.
    ///
    /// - Throws: ``AdminError/Code/alreadyRunning`` while a load runs; ``AdminError/Code/unknownKeyspace`` or
    ///   ``AdminError/Code/unknownTable``, with nothing changed, for what the job does not load (to drop), or what neither a
    ///   record nor the target knows (to rebuild).
    func change(_ change: IndexesChange) async throws(AdminError) -> IndexesChangedDocument
}

/// What a running load can be told.
public struct LoaderAction: Sendable, Equatable {
    /// What.
    public enum Verb: String, Sendable, CaseIterable {
        /// End; a later start goes on where it was.
        case stop
        /// Take up nothing new.
        case pause
        /// Go on.
        case resume
    }

    /// What.
    public var verb: Verb
    /// Why.
    public var reason: String?
    /// Who asks: the interface and the peer's address.
    public var by: String

    /// Creates an action.
    public init(_ verb: Verb, reason: String? = nil, by: String) {
        self.verb = verb
        self.reason = reason
        self.by = by
    }

    /// Reads the document of `POST /stop`, `/pause` or `/resume`.
    init(_ verb: Verb, _ object: [String: JSONValue], by: String) throws(AdminError) {
        var reader = DocumentReader(object, keys: ["reason"])
        let reason = reader.reason(isNeeded: false)
        try reader.finish()
        self.init(verb, reason: reason, by: by)
    }
}
