/// The time of a list that is written as a whole, on targets that do not take the places of its elements.
///
/// A server gives the elements new places each time, so that a list that is written twice at one time stands there twice. Written
/// at a later time it replaces what the earlier one has left: a whole list deletes what is older than itself. Pure.
package enum WholeList {
    /// Attempts that can be told apart; so many microseconds below the ceiling are kept for them.
    package static var attemptsMax: Int64 { 1_000 }

    /// - Parameters:
    ///   - newest: the timestamp of its newest element, in microseconds.
    ///   - attempt: how often its part was begun before.
    ///   - ceiling: nothing is later; nil for no limit.
    ///   - deletion: the timestamp of the newest deletion that covers the row; the list is later than that.
    package static func timestamp(newest: Int64, attempt: Int64, ceiling: Int64?, deletion: Int64 = .min) -> Int64 {
        let attempt = min(max(0, attempt), Self.attemptsMax - 1)
        guard let ceiling else { return newest + attempt }
        let first = min(newest, ceiling - (Self.attemptsMax - 1))
        return min(max(first, deletion < newest ? deletion + 1 : .min) + attempt, ceiling)
    }
}
