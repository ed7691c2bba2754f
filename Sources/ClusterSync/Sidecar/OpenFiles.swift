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

    /// Raises the soft limit to the hard one and returns what holds then.
    static func raise() -> Int {
        var limit = rlimit()
        #if canImport(Glibc)
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
        let resource = RLIMIT_NOFILE
        #endif
        guard getrlimit(resource, &limit) == 0 else { return Int(Int32.max) }
        if limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = limit.rlim_max
            if setrlimit(resource, &raised) == 0 { limit = raised }
        }
        return Int(clamping: limit.rlim_cur)
    }

    /// The clients that fit below a limit of open files, refusals included.
    static func clients(wanted: Int, refusals: Int, limit: Int) -> Int {
        let free = limit - min(self.reserve, limit / 2) - refusals
        return max(1, min(wanted, free))
    }
}
