#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// How many files and sockets the process may have open. A sidecar at that limit could accept nobody and reach nobody, its
/// admin port included, so the number of clients is kept below it.
enum OpenFiles {
    /// Kept free for connections to both clusters, the admin port and the state folder, where there is so much.
    private static var reserve: Int { 256 }

    #if canImport(Glibc)
    private static var resource: __rlimit_resource_t { __rlimit_resource_t(RLIMIT_NOFILE.rawValue) }
    #else
    private static var resource: Int32 { Int32(RLIMIT_NOFILE) }
    #endif

    /// How many it may have open now.
    static var limit: Int {
        var limit = rlimit()
        guard getrlimit(self.resource, &limit) == 0 else { return Int(Int32.max) }
        return Int(clamping: limit.rlim_cur)
    }

    /// Raises the soft limit to the hard one and returns what holds then.
    static func raise() -> Int {
        var limit = rlimit()
        if getrlimit(self.resource, &limit) == 0, limit.rlim_cur < limit.rlim_max {
            limit.rlim_cur = limit.rlim_max
            _ = setrlimit(self.resource, &limit)
        }
        return self.limit
    }

    /// The clients that fit below a limit of open files, refusals included.
    static func clients(wanted: Int, refusals: Int, limit: Int) -> Int {
        let free = limit - min(self.reserve, limit / 2) - refusals
        return max(1, min(wanted, free))
    }
}
