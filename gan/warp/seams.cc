#include "gan/warp/internal/seams.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <queue>
#include <stdexcept>
#include <utility>

namespace auforge::warp::internal {
namespace {

using synthetic::FaceModel;
using synthetic::MeshTriangle;
using synthetic::Vec3;

constexpr float kMouthReach = 3.2F, kEyeReach = 1.8F;  // cm

using Neighbours = std::vector<std::vector<std::int32_t>>;

Neighbours NeighboursOf(std::size_t vertices, std::span<const MeshTriangle> skin) {
  Neighbours sets(vertices);
  for (const MeshTriangle& t : skin) {
    for (std::size_t k = 0; k < 3; ++k) {
      sets[static_cast<std::size_t>(t[k])].push_back(t[(k + 1) % 3]);
      sets[static_cast<std::size_t>(t[k])].push_back(t[(k + 2) % 3]);
    }
  }
  return sets;
}

// The shortest way along edges (Dijkstra 1959), both ends included.
std::vector<std::int32_t> Way(const FaceModel& model, const Neighbours& neighbours, std::int32_t from, std::int32_t to) {
  std::map<std::int32_t, float> cost{{from, 0.0F}};
  std::map<std::int32_t, std::int32_t> before;
  using Item = std::pair<float, std::int32_t>;
  std::priority_queue<Item, std::vector<Item>, std::greater<>> queue;
  queue.emplace(0.0F, from);
  while (!queue.empty()) {
    const auto [c, v] = queue.top();
    queue.pop();
    if (v == to) break;
    if (c > cost[v]) continue;
    for (const std::int32_t n : neighbours[static_cast<std::size_t>(v)]) {
      const float next = c + Length(model.neutral[static_cast<std::size_t>(n)] - model.neutral[static_cast<std::size_t>(v)]);
      const auto found = cost.find(n);
      if (found != cost.end() && found->second <= next) continue;
      cost[n] = next;
      before[n] = v;
      queue.emplace(next, n);
    }
  }
  std::vector<std::int32_t> way{to};
  while (way.back() != from) {
    const auto found = before.find(way.back());
    if (found == before.end()) throw std::invalid_argument("the face model's landmarks are not joined by its skin");
    way.push_back(found->second);
  }
  std::reverse(way.begin(), way.end());
  return way;
}

std::vector<Seam::RimVertex> Chain(const FaceModel& model, const Neighbours& neighbours, std::span<const std::size_t> landmarks) {
  std::vector<std::int32_t> chain;
  for (std::size_t i = 1; i < landmarks.size(); ++i) {
    const auto way = Way(model, neighbours, synthetic::LandmarkVertices()[landmarks[i - 1]], synthetic::LandmarkVertices()[landmarks[i]]);
    chain.insert(chain.end(), way.begin() + (i == 1 ? 0 : 1), way.end());
  }
  const auto x = [&](std::int32_t v) { return model.neutral[static_cast<std::size_t>(v)].x; };
  std::vector<Seam::RimVertex> rim;
  for (const std::int32_t v : chain) rim.push_back({v, (x(v) - x(chain.front())) / (x(chain.back()) - x(chain.front()))});
  return rim;
}

Vec3 AlongRim(const FaceModel& model, const std::vector<Seam::RimVertex>& rim, float s) {
  const auto at = [&](std::size_t i) { return model.neutral[static_cast<std::size_t>(rim[i].vertex)]; };
  for (std::size_t i = 1; i < rim.size(); ++i) {
    if (s <= rim[i].s || i + 1 == rim.size()) {
      const float width = rim[i].s - rim[i - 1].s;
      const float t = width > 0 ? std::clamp((s - rim[i - 1].s) / width, 0.0F, 1.0F) : 0.0F;
      return Mix(at(i - 1), at(i), t);
    }
  }
  return at(0);
}

// Marks what lies on the inner side: reached from the skin's own edge without crossing the rims.
void MarkInner(const Neighbours& neighbours, const Seam& seam, std::span<const std::int32_t> edge, std::vector<std::uint8_t>& is_inner) {
  std::vector<std::uint8_t> is_rim(neighbours.size(), 0);
  for (const auto& rim : {seam.upper, seam.lower}) {
    for (const Seam::RimVertex& r : rim) is_rim[static_cast<std::size_t>(r.vertex)] = 1;
  }
  std::vector<std::int32_t> open(edge.begin(), edge.end());
  while (!open.empty()) {
    const auto v = static_cast<std::size_t>(open.back());
    open.pop_back();
    if (is_rim[v] != 0 || is_inner[v] != 0) continue;
    is_inner[v] = 1;
    open.insert(open.end(), neighbours[v].begin(), neighbours[v].end());
  }
}

// Vertices of the skin's own edges: those of an edge that belongs to one triangle only.
std::vector<std::int32_t> EdgeVertices(std::span<const MeshTriangle> skin) {
  std::map<std::pair<std::int32_t, std::int32_t>, int> uses;
  for (const MeshTriangle& t : skin) {
    for (std::size_t k = 0; k < 3; ++k) ++uses[std::minmax(t[k], t[(k + 1) % 3])];
  }
  std::vector<std::int32_t> edge;
  for (const auto& [ends, count] : uses) {
    if (count == 1) edge.insert(edge.end(), {ends.first, ends.second});
  }
  return edge;
}

void FindNear(const FaceModel& model, std::span<const std::int32_t> skin_vertices, float reach, const std::vector<std::uint8_t>& is_inner,
              Seam& seam) {
  const auto at = [&](std::int32_t v) { return model.neutral[static_cast<std::size_t>(v)]; };
  const float left = at(seam.upper.front().vertex).x, right = at(seam.upper.back().vertex).x;
  for (const std::int32_t v : skin_vertices) {
    const Vec3 p = at(v);
    const float s = std::clamp((p.x - left) / (right - left), 0.0F, 1.0F);
    const Vec3 upper = AlongRim(model, seam.upper, s), lower = AlongRim(model, seam.lower, s);
    const float to_upper = Length(p - upper), to_lower = Length(p - lower);
    const bool inner = is_inner[static_cast<std::size_t>(v)] != 0;
    // Rims that touch are as near as each other: the side of the seam decides.
    const bool is_upper = p.y >= (upper.y + lower.y) / 2;
    const float u = is_upper ? to_upper : to_lower;
    if (u < reach) seam.near.push_back({v, s, inner ? -u : u, is_upper});
  }
  for (const auto& [rim, is_upper] : {std::pair{&seam.upper, true}, {&seam.lower, false}}) {
    for (const Seam::RimVertex& r : *rim) {
      for (Seam::NearVertex& n : seam.near) {
        if (n.vertex == r.vertex) n = {r.vertex, r.s, 0, is_upper};
      }
    }
  }
}

}  // namespace

Seams FindSeams(const FaceModel& model, std::span<const MeshTriangle> skin) {
  const Neighbours neighbours = NeighboursOf(model.VertexCount(), skin);
  Seams seams;
  seams.is_inner.assign(model.VertexCount(), 0);
  constexpr std::array<std::size_t, 5> kUpperLip{60, 61, 62, 63, 64}, kLowerLip{60, 67, 66, 65, 64};
  constexpr std::array<std::array<std::size_t, 4>, 2> kUpperLid{{{36, 37, 38, 39}, {42, 43, 44, 45}}};
  constexpr std::array<std::array<std::size_t, 4>, 2> kLowerLid{{{36, 41, 40, 39}, {42, 47, 46, 45}}};
  seams.mouth.upper = Chain(model, neighbours, kUpperLip);
  seams.mouth.lower = Chain(model, neighbours, kLowerLip);
  for (std::size_t e = 0; e < 2; ++e) {
    seams.eyes[e].upper = Chain(model, neighbours, kUpperLid[e]);
    seams.eyes[e].lower = Chain(model, neighbours, kLowerLid[e]);
  }
  const std::vector<std::int32_t> edge = EdgeVertices(skin);
  for (Seam* seam : {&seams.mouth, &seams.eyes[0], &seams.eyes[1]}) {
    const Vec3 middle = AlongRim(model, seam->upper, 0.5F);
    std::vector<std::int32_t> own;
    for (const std::int32_t v : edge) {
      if (Length(model.neutral[static_cast<std::size_t>(v)] - middle) < 3.0F) own.push_back(v);
    }
    MarkInner(neighbours, *seam, own, seams.is_inner);
  }
  std::vector<std::int32_t> vertices;
  for (std::size_t v = 0; v < neighbours.size(); ++v) {
    if (!neighbours[v].empty()) vertices.push_back(static_cast<std::int32_t>(v));
  }
  FindNear(model, vertices, kMouthReach, seams.is_inner, seams.mouth);
  for (Seam& eye : seams.eyes) FindNear(model, vertices, kEyeReach, seams.is_inner, eye);
  return seams;
}

Rim TraceRim(std::span<const Seam::RimVertex> chain, std::span<const features::Point2> at) {
  Rim rim;
  std::size_t i = 1;
  for (int k = 0; k < kRimPoints; ++k) {
    const float s = static_cast<float>(k) / (kRimPoints - 1);
    while (i + 1 < chain.size() && chain[i].s < s) ++i;
    const float width = chain[i].s - chain[i - 1].s;
    const float t = width > 0 ? std::clamp((s - chain[i - 1].s) / width, 0.0F, 1.0F) : 0.0F;
    const features::Point2 a = at[static_cast<std::size_t>(chain[i - 1].vertex)], b = at[static_cast<std::size_t>(chain[i].vertex)];
    rim[static_cast<std::size_t>(k)] = {a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)};
  }
  return rim;
}

}  // namespace auforge::warp::internal
