/// Remembers jobs and their parts, and gives each part to one worker at a time.
///
/// Thread-safe, and safe between processes that use the same store. A lease that ran out is given to whoever asks next; from then
/// on everything that its former holder says of the part is refused with ``TokenRangesError/Code/leaseLost``, as it names its own
/// lease. When a lease has run out is judged by the store alone, never by its holder. Repeating a call whose outcome is unknown
/// does no harm. All calls throw ``TokenRangesError``, and `CancellationError` where their task is cancelled.
public protocol JobStore: Sendable {
    /// Creates a job, or joins it where it exists.
    ///
    /// - Parameter parts: called only where there is no such job. Parts must not overlap.
    /// - Returns: Whether the job is new.
    /// - Throws: ``TokenRangesError/Code/otherJob`` where one of that name does something else.
    func create(_ job: JobDefinition, parts: @Sendable () async throws -> [JobPart]) async throws -> Bool

    /// Gives a worker a part that is pending and counts the attempt; `duration` counts from now, in whole seconds or finer.
    func lease(_ job: String, worker: String, for duration: Duration) async throws -> LeaseAnswer

    /// Lets a lease last for `duration` from now on.
    func renew(_ lease: JobLease, for duration: Duration) async throws

    /// Moves a part's checkpoint, and counts its attempts anew.
    ///
    /// - Parameters:
    ///   - token: within the part's range, and not before its last checkpoint.
    ///   - rows: all rows of the part that are done.
    ///   - bytes: all bytes of the part that are done.
    func checkpoint(_ lease: JobLease, at token: Int64, rows: Int64, bytes: Int64) async throws

    /// Ends a part as done, and with it the lease. Rows and bytes are all that the part has had.
    func finish(_ lease: JobLease, rows: Int64, bytes: Int64) async throws

    /// Ends a part as failed, and with it the lease.
    func fail(_ lease: JobLease, reason: String) async throws

    /// Ends the lease; the part is pending again.
    ///
    /// - Parameters:
    ///   - delay: how long nobody gets it, in whole seconds or finer; zero for not at all.
    ///   - attempts: what its attempts are now.
    func giveBack(_ lease: JobLease, after delay: Duration, attempts: Int) async throws

    /// Cuts what is left of a part in pieces: the part keeps the first one, the others become parts that are pending,
    /// with as many attempts as the lease's part has.
    ///
    /// - Returns: The lease with the part as it is now; nil, with nothing changed, where too few tokens are left.
    func split(_ lease: JobLease, into count: Int) async throws -> JobLease?

    /// All parts by table and token, as they are now.
    func parts(of job: String) async throws -> [JobPart]

    /// The parts that a worker has at this moment, with how long that lasts. Where nobody renews a lease any more, it only
    /// becomes shorter (``LeaseWatch``).
    func leases(of job: String) async throws -> [JobPart.ID: LeaseLeft]

    /// A job, also one that somebody has begun to make and whose parts are not there yet; nil where there is none.
    func find(_ job: String) async throws -> JobDefinition?

    /// All jobs by name.
    func jobs() async throws -> [JobDefinition]

    /// What the operator wants.
    func command(of job: String) async throws -> JobCommand

    /// Changes what the operator wants. Workers notice when they look next.
    func setCommand(_ command: JobCommand, of job: String) async throws

    /// Makes all failed parts pending again, their attempts uncounted.
    ///
    /// - Returns: How many there were.
    func retryFailed(_ job: String) async throws -> Int

    /// Forgets a job with its parts; leases on them are lost. One that does not exist is forgotten already.
    func remove(_ job: String) async throws
}
