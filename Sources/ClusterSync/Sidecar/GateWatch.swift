import ServiceLifecycle

/// Looks at the counters now and then, so that gates can say what has happened lately.
struct GateWatch: Service {
    private static let interval = Duration.seconds(5)

    let control: SidecarControl

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.control.sample()
                try? await Task.sleep(for: Self.interval)
            }
        }
    }
}
