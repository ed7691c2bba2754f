import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle

/// The live page, and the events that it shows.
extension AdminRoutes {
    func addLive(to router: Router<AdminContext>) {
        self.add("/", [.get: { _, _ in PageFiles.index.response }], to: router)
        for file in PageFiles.parts {
            self.add("/page/\(file.name)", [.get: { _, _ in file.response }], to: router)
        }
        guard let events else { return }
        self.add("/v1/events", [.get: { _, context in try Self.listen(to: events, context.channel) }], to: router)
    }

    /// An answer that goes on until the listener leaves, does not keep up, or the admin port stops.
    private static func listen(to feed: EventFeed, _ channel: any Channel) throws(AdminError) -> Response {
        guard !feed.isFull else {
            throw AdminError(
                .tooManyListeners,
                "\(EventFeed.listenersMax) listeners are there already.",
                hint: "Close a page that nobody looks at, or ask GET /v1/status."
            )
        }
        return Response(
            status: .ok,
            headers: [.contentType: EventFeed.contentType],
            body: .init { writer in
                if let (number, events) = feed.listen(close: { channel.close(promise: nil) }) {
                    defer { feed.leave(number) }
                    for await event in events.cancelOnGracefulShutdown() { try await writer.write(event) }
                }
                try await writer.finish(nil)
            }
        )
    }
}
