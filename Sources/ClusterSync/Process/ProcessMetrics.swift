import FoundationEssentials
import Operations

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What every service tells of its process, under the names that all Prometheus clients use, and of its log.
enum ProcessMetrics {
    static func collect(into page: inout MetricsPage, log: LogSink = .standardError) {
        page.counter(
            "process_cpu_seconds_total",
            help: "Seconds of processor time, for the program and for the system on its behalf.",
            seconds: self.cpuSeconds
        )
        for (name, help, value) in [
            ("process_resident_memory_bytes", "Memory in use.", self.residentBytes),
            ("process_open_fds", "Open files and sockets.", self.openFiles),
            ("process_max_fds", "How many files and sockets may be open.", Double(OpenFiles.limit)),
            ("process_start_time_seconds", "When the process began, in seconds since 1970.", self.startSeconds),
        ] {
            if let value { page.gauge(name, help: help, value) }
        }
        page.counter(
            "cluster_sync_log_lines_dropped_total",
            help: "Lines of the log that are lost because nobody took them.",
            log.dropped
        )
        page.counter(
            "cluster_sync_log_lines_held_back_total",
            help: "Lines of the log that are not written because others said the same.",
            log.heldBack
        )
    }

    private static var cpuSeconds: Double {
        var usage = rusage()
        #if canImport(Glibc)
        let own = __rusage_who_t(RUSAGE_SELF.rawValue)
        #else
        let own = RUSAGE_SELF
        #endif
        guard getrusage(own, &usage) == 0 else { return 0 }
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    /// The fields of a file of `/proc/self`; nil where there is none, as outside Linux.
    private static func fields(_ name: String) -> [Substring]? {
        FileManager.default.contents(atPath: "/proc/self/\(name)").map {
            String(decoding: $0, as: UTF8.self).split(separator: " ")
        }
    }

    /// The second field of `statm` counts pages (proc(5)).
    private static var residentBytes: Double? {
        guard let fields = self.fields("statm"), fields.count > 1, let pages = Double(fields[1]) else { return nil }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static var openFiles: Double? {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")).map { Double($0.count) }
    }

    /// Behind the name in parentheses, the twentieth field of `stat` is the start in clock ticks since the machine's (proc(5)).
    private static let startSeconds: Double? = {
        guard let stat = FileManager.default.contents(atPath: "/proc/self/stat"),
            let uptime = FileManager.default.contents(atPath: "/proc/uptime"),
            let running = String(decoding: uptime, as: UTF8.self).split(separator: " ").first.flatMap({ Double($0) })
        else { return nil }
        let behindName = String(decoding: stat, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
        guard behindName.count > 19, let ticks = Double(behindName[19]) else { return nil }
        let sinceBoot = ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
        return (Date().timeIntervalSince1970 - running + sinceBoot).rounded()
    }()
}
