// Locks: who wrote `numpy` last year and who writes it today get the same numpy, until somebody
// asks for another.
#include <utility>

#include "core/check.h"
#include "lock/cloche_lock.h"
#include "workspace/state.h"

namespace cloche::workspace {
namespace {

Error damaged(std::string_view digest, std::string_view why) {
  return fail(ErrorKind::kCorrupt, "the stored lock {} is damaged: {}", digest.substr(0, 12), why)
      .with_hint("lock the environment again with --update-all, or restore workspace.db");
}

Result<StoredLock> lock_of(const LockRow& row) {
  Diagnostics ignored;  // keys that a later program of the same format added
  auto lock = lock::parse_cloche_lock(row.body, "", ignored);
  if (!lock) {
    return lock.error().kind == ErrorKind::kUnsupported ? std::move(lock).error()
                                                        : damaged(row.digest, lock.error().message);
  }
  const Digest digest = lock::digest_of(*lock);
  if (digest.hex() != row.digest) {
    return damaged(row.digest, "it does not have that digest");
  }
  return StoredLock{std::move(*lock), digest, to_rfc3339(row.created_at), row.created_by};
}

Result<Digest> digest_from_hex(const std::string& hex) {
  auto digest = Digest::parse("sha256:" + hex);
  return digest ? std::move(digest) : damaged(hex, "its digest is none");
}

LockRow row_of(const lock::Lock& lock) {
  LockRow out;
  out.fingerprint = lock.fingerprint;
  out.platform = lock.platform;
  out.target = lock::target_digest_of(lock.virtual_packages).hex();
  out.digest = lock::digest_of(lock).hex();
  out.body = lock::write_cloche_lock(lock);
  out.package_count =
      static_cast<std::int64_t>(lock.conda.packages.size() + lock.pypi.packages.size());
  return out;
}

LockRowKey key_of(const LockRow& row) { return {row.fingerprint, row.platform, row.target}; }

}  // namespace

Result<std::optional<StoredLock>> Workspace::find_lock(const LockKey& key) {
  const std::string target = lock::target_digest_of(key.virtual_packages).hex();
  const auto row = TRY(state_->catalog.find_lock({key.fingerprint, key.platform, target}));
  if (!row) {
    return std::optional<StoredLock>();
  }
  return TRY(lock_of(*row));
}

Result<Workspace::PutLock> Workspace::put_lock(const lock::Lock& lock, const LockChange& change) {
  if (lock.fingerprint.empty()) {
    return fail(ErrorKind::kInvalid, "the lock belongs to no definition")
        .with_hint("bind it to one first");
  }
  TRY(state_->check_writable());
  LockRow row = row_of(lock);
  row.detail = change.detail;
  Transaction transaction = TRY(Transaction::begin(state_->database));
  const auto current = TRY(state_->catalog.find_lock(key_of(row)));
  if (current && (current->digest == row.digest || current->digest != change.replaces.hex())) {
    return PutLock{TRY(lock_of(*current)), false};
  }
  row.created_at = state_->clock->now_ms();
  row.created_by = state_->user;
  StoredLock stored = TRY(lock_of(row));
  TRY(state_->catalog.add_lock(row));
  if (!change.name.empty()) {
    TRY(state_->record(change.action, change.name, change.version, change.detail));
  }
  TRY(transaction.commit());
  return PutLock{std::move(stored), true};
}

Result<std::vector<StoredLock>> Workspace::locks(const std::string& fingerprint) {
  std::vector<StoredLock> out;
  const std::vector<LockRow> rows = TRY(state_->catalog.locks_of(fingerprint));
  out.reserve(rows.size());
  for (const LockRow& row : rows) {
    out.push_back(TRY(lock_of(row)));
  }
  return out;
}

Result<std::vector<LockSummary>> Workspace::lock_history(const std::string& fingerprint) {
  std::vector<LockSummary> out;
  const std::vector<LockRow> rows = TRY(state_->catalog.lock_history(fingerprint));
  for (const LockRow& row : rows) {
    for (LockSummary& older : out) {
      older.current =
          older.current && (older.platform != row.platform || older.target.hex() != row.target);
    }
    out.push_back({.digest = TRY(digest_from_hex(row.digest)),
                   .platform = row.platform,
                   .target = TRY(digest_from_hex(row.target)),
                   .package_count = row.package_count,
                   .current = true,
                   .created_at = to_rfc3339(row.created_at),
                   .created_by = row.created_by,
                   .detail = row.detail});
  }
  return out;
}

Result<StoredLock> Workspace::get_lock(const Digest& digest) {
  const auto row = TRY(state_->catalog.find_lock_by_digest(digest.hex()));
  if (!row) {
    return fail(ErrorKind::kNotFound, "no lock {}", digest.to_string())
        .with_hint("`cloche env history NAME` shows what was locked");
  }
  return lock_of(*row);
}

Status Workspace::State::adopt_locks(const std::vector<lock::Lock>& locks,
                                     const EnvironmentVersion& entry) {
  for (const lock::Lock& one : locks) {
    LockRow row = row_of(one);
    CHECK(one.fingerprint == entry.fingerprint);
    Transaction transaction = TRY(Transaction::begin(database));
    if (TRY(catalog.find_lock(key_of(row)))) {
      continue;  // what is locked here stays
    }
    row.created_at = clock->now_ms();
    row.created_by = user;
    row.detail = "came with " + entry.environment.name + ":" + entry.environment.version;
    TRY(catalog.add_lock(row));
    TRY(record("locked", entry.environment.name, entry.environment.version, "the lock came along"));
    TRY(transaction.commit());
  }
  return {};
}

}  // namespace cloche::workspace
