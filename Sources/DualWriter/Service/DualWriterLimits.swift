public import DualWriteCore

/// Every bound of the proxy's data plane, each with the named outcome when it is reached.
public struct DualWriterLimits: Sendable {
    /// The longest request body that is read from a client, in bytes; a longer one is answered with a PROTOCOL error and
    /// the connection is closed, because what follows cannot be framed without reading it. Cassandra's own default is 256 MiB.
    public var frameBytesMax = 256 << 20

    /// Client connections per sidecar; one more is answered OVERLOADED at STARTUP and closed.
    public var clientConnectionsMax = 4_096

    /// Sockets above ``clientConnectionsMax`` that are kept open to be told so; one more is closed without a word.
    public var clientRefusalsMax = 64

    /// How long connections are kept under a name and in a keyspace that no client uses any more, in milliseconds.
    public var idlePoolMillisecondsMax = 60_000

    /// Names with their passwords, per loop, that are remembered as accepted, for when the cluster that knows them is away and
    /// not needed; beyond it all are forgotten.
    public var acceptedLoginsMax = 10_000

    /// How long a client may take for its handshake, in milliseconds; then its connection is closed.
    public var clientHandshakeMillisecondsMax = 30_000

    /// The longest body before the handshake is done, in bytes; a longer one is treated as one above ``frameBytesMax``.
    public var handshakeFrameBytesMax = 64 << 10

    /// Bytes of frames that have begun to come in, over all clients of one loop; the client that brings more is answered
    /// OVERLOADED and closed.
    public var unfinishedFrameBytesMax = 512 << 20

    /// Requests of one client connection that may wait for an answer; one more is answered OVERLOADED.
    public var inFlightPerClientMax = 4_096

    /// Bytes that may be queued for one client; above it reading from that client stops until it has read its answers.
    public var clientQueuedBytesHigh = 1 << 20

    /// Bytes queued for one client at which the connection is closed: it no longer reads what it asked for.
    public var clientQueuedBytesMax = 64 << 20

    /// Bytes of requests that the clients of one loop wait for; above it none that waits is read from until half are answered.
    public var clientBytesInFlightMax = 8 << 20

    /// Requests that one loop holds in all, shadow copies included; one more from a client is answered OVERLOADED.
    public var requestsPerLoopMax = 131_072

    /// Bytes of these requests; one more from a client is answered OVERLOADED, unless it is the only one.
    public var requestBytesPerLoopMax = 512 << 20

    /// Shadow writes that wait in the memory of one loop, per cluster; the next one stays in the journal alone until there is
    /// room. Without a journal it is dropped, counted and logged.
    public var shadowQueueWritesMax = 8_192

    /// Bytes of these writes; the next one as above.
    public var shadowQueueBytesMax = 16 << 20

    /// Shadow writes that may be on their way to one cluster at a time, per loop.
    public var shadowInFlightMax = 2_048

    /// Attempts to deliver one idempotent shadow write that is answered with an error which may be about the write itself; then
    /// it is a dead letter: kept, counted and logged. Silence, timeouts and time in which no node of the shadow can be reached
    /// do not count.
    public var shadowAttemptsMax = 10

    /// Reads that one loop compares at a time, those that wait for the settle time included; one more is not compared, and
    /// counted.
    public var comparisonsMax = 32

    /// The longest read, request and rows together, that is compared, in bytes; a longer one is not, and counted. A comparison
    /// holds no more than three answers at a time.
    public var comparisonBytesMax = 128 << 10

    /// The first pause before a shadow write that failed is sent again, in milliseconds; it doubles with each attempt.
    public var shadowRetryMillisecondsMin = ShadowRetry.pauseMillisecondsMin

    /// The longest of these pauses, in milliseconds.
    public var shadowRetryMillisecondsMax = ShadowRetry.pauseMillisecondsMax

    /// The pause after which a shadow write is tried again that no node could be reached for, in milliseconds.
    public var shadowUnreachableMilliseconds = 250

    /// When copies are held back because a cluster fails or is silent, and how long before it is asked again.
    public var shadowBreaker = ShadowBreaker.Limits()

    /// Prepared statements that the process remembers; the least recently used one is forgotten, its next EXECUTE is
    /// answered UNPREPARED and the driver prepares it again.
    public var preparedStatementsMax = 16_384

    /// The bytes of statement text that the process remembers for prepared statements.
    public var preparedBytesMax = 64 << 20

    /// Analyses of statement texts that one loop keeps; the least recently used one is dropped and made again when needed.
    public var analysisCacheEntriesMax = 4_096

    /// The longest statement text that is analysed, in bytes; a longer one is treated as a plain write, as any text that
    /// is not understood.
    public var analysedTextBytesMax = 16 << 20

    /// Calls of `now()`, `uuid()` and their like that are evaluated in one statement; one with more is answered INVALID. A value
    /// is longer than its call: this bounds by how much statements grow.
    public var evaluatedCallsMax = 65_535

    /// The limits documented on each property.
    public init() {}
}
