// UnityEngine's colliders and queries. Queries are exact for spheres, boxes and upright capsules; nothing collides.
using System;
using System.Collections.Generic;
using System.Linq;

namespace UnityEngine
{
    public class Collider : Component
    {
        public bool enabled { get; set; } = true;
        public bool isTrigger { get; set; }
        public float contactOffset { get; set; } = 0.01f;
        public virtual Bounds bounds => new Bounds(transform.position, Vector3.zero);
        public Rigidbody attachedRigidbody => GetComponentInParent<Rigidbody>();
#if UNITY_6000_0_OR_NEWER
        public PhysicsMaterial material { get; set; }
        public PhysicsMaterial sharedMaterial { get; set; }
#else
        public PhysicMaterial material { get; set; }
        public PhysicMaterial sharedMaterial { get; set; }
#endif
        public virtual Vector3 ClosestPoint(Vector3 position) => bounds.ClosestPoint(position);
        public Vector3 ClosestPointOnBounds(Vector3 position) => bounds.ClosestPoint(position);

        public bool Raycast(Ray ray, out RaycastHit hitInfo, float maxDistance)
        {
            float distance;
            var hit = Meets(ray.origin, ray.direction, 0f, out distance) && distance <= maxDistance;
            hitInfo = hit ? new RaycastHit(this, ray.GetPoint(distance), distance) : new RaycastHit();
            return hit;
        }

        /// The distance along the unit direction at which a sphere of this radius enters the collider; none from inside.
        internal virtual bool Meets(Vector3 origin, Vector3 direction, float radius, out float distance)
        {
            distance = 0f;
            return false;
        }

        internal virtual bool Overlaps(Vector3 position, float radius) => (ClosestPoint(position) - position).magnitude <= radius;

        internal static bool MeetsSphere(Vector3 offset, Vector3 direction, float radius, out float distance)
        {
            var along = Vector3.Dot(offset, direction);
            var chord = radius * radius - (offset - direction * along).sqrMagnitude;
            distance = along - Mathf.Sqrt(Mathf.Max(chord, 0f));
            return chord >= 0f && distance >= 0f;
        }

        internal static float Largest(Vector3 v) => Mathf.Max(Mathf.Abs(v.x), Mathf.Max(Mathf.Abs(v.y), Mathf.Abs(v.z)));
    }

    public class SphereCollider : Collider
    {
        public Vector3 center { get; set; }
        public float radius { get; set; } = 0.5f;
        float WorldRadius => radius * Largest(transform.lossyScale);
        public override Bounds bounds => new Bounds(transform.TransformPoint(center), Vector3.one * (2f * WorldRadius));

        public override Vector3 ClosestPoint(Vector3 position)
        {
            var middle = transform.TransformPoint(center);
            return middle + Vector3.ClampMagnitude(position - middle, WorldRadius);
        }

        internal override bool Meets(Vector3 origin, Vector3 direction, float radius, out float distance) =>
            MeetsSphere(transform.TransformPoint(center) - origin, direction, WorldRadius + radius, out distance);
    }

    public class BoxCollider : Collider
    {
        public Vector3 center { get; set; }
        public Vector3 size { get; set; } = Vector3.one;
        Vector3 Half => Vector3.Scale(size, transform.lossyScale) * 0.5f;

        public override Bounds bounds
        {
            get
            {
                var made = new Bounds(transform.TransformPoint(center), Vector3.zero);
                for (var corner = 0; corner < 8; corner++)
                {
                    var sign = new Vector3((corner & 1) - 0.5f, (corner >> 1 & 1) - 0.5f, (corner >> 2) - 0.5f);
                    made.Encapsulate(transform.TransformPoint(center + Vector3.Scale(size, sign)));
                }
                return made;
            }
        }

        public override Vector3 ClosestPoint(Vector3 position)
        {
            var local = Local(position);
            var middle = transform.TransformPoint(center);
            return middle + transform.rotation * Vector3.Min(Vector3.Max(local, -Half), Half);
        }

        Vector3 Local(Vector3 point) => Quaternion.Inverse(transform.rotation) * (point - transform.TransformPoint(center));

        internal override bool Meets(Vector3 origin, Vector3 direction, float radius, out float distance)
        {
            Vector3 from = Local(origin), way = transform.InverseTransformDirection(direction), half = Half + Vector3.one * radius;
            float near = Mathf.NegativeInfinity, far = Mathf.Infinity;
            for (var axis = 0; axis < 3; axis++)
            {
                if (Mathf.Abs(way[axis]) < 1E-09f)
                {
                    if (Mathf.Abs(from[axis]) > half[axis]) near = Mathf.Infinity;
                    continue;
                }
                float first = (-half[axis] - from[axis]) / way[axis], second = (half[axis] - from[axis]) / way[axis];
                near = Mathf.Max(near, Mathf.Min(first, second));
                far = Mathf.Min(far, Mathf.Max(first, second));
            }
            distance = near;
            return near <= far && near >= 0f;
        }
    }

    public class CapsuleCollider : Collider
    {
        public Vector3 center { get; set; }
        public float radius { get; set; } = 0.5f;
        public float height { get; set; } = 1f;
        public int direction { get; set; } = 1;

        Vector3 Axis => transform.rotation * (direction == 0 ? Vector3.right : direction == 1 ? Vector3.up : Vector3.forward);
        float WorldRadius
        {
            get
            {
                var scale = transform.lossyScale;
                var other = direction == 1 ? Mathf.Abs(scale.z) : Mathf.Abs(scale.y);
                return radius * Mathf.Max(direction == 0 ? Mathf.Abs(scale.z) : Mathf.Abs(scale.x), other);
            }
        }
        /// From the middle to the centre of either half ball.
        float Reach => Mathf.Max(0f, height * 0.5f * Mathf.Abs(transform.lossyScale[direction]) - WorldRadius);

        public override Bounds bounds
        {
            get
            {
                var middle = transform.TransformPoint(center);
                var made = new Bounds(middle + Axis * Reach, Vector3.one * (2f * WorldRadius));
                made.Encapsulate(new Bounds(middle - Axis * Reach, Vector3.one * (2f * WorldRadius)));
                return made;
            }
        }

        public override Vector3 ClosestPoint(Vector3 position)
        {
            var middle = transform.TransformPoint(center);
            var on = middle + Axis * Mathf.Clamp(Vector3.Dot(position - middle, Axis), -Reach, Reach);
            return on + Vector3.ClampMagnitude(position - on, WorldRadius);
        }

        internal override bool Meets(Vector3 origin, Vector3 direction, float radius, out float distance)
        {
            Vector3 axis = Axis, offset = transform.TransformPoint(center) - origin;
            var grown = WorldRadius + radius;
            distance = 0f;
            var on = -Vector3.Dot(offset, axis);
            if ((offset + axis * Mathf.Clamp(on, -Reach, Reach)).magnitude < grown) return false;
            float along = Vector3.Dot(direction, axis), best = Mathf.Infinity, at;
            var across = direction - axis * along;
            if (across.sqrMagnitude > 1E-12f)
            {
                var speed = across.magnitude;
                var flat = offset - axis * Vector3.Dot(offset, axis);
                if (MeetsSphere(flat, across / speed, grown, out at) && Mathf.Abs(on + along * at / speed) <= Reach) best = at / speed;
            }
            if (MeetsSphere(offset + axis * Reach, direction, grown, out at)) best = Mathf.Min(best, at);
            if (MeetsSphere(offset - axis * Reach, direction, grown, out at)) best = Mathf.Min(best, at);
            distance = best;
            return best < Mathf.Infinity;
        }
    }

    /// Queries do not see it: it has no mesh here.
    public class MeshCollider : Collider
    {
        public bool convex { get; set; }
        public Mesh sharedMesh { get; set; }
        internal override bool Overlaps(Vector3 position, float radius) => false;
    }

    public class CharacterController : Collider
    {
        public float radius { get; set; } = 0.5f;
        public float height { get; set; } = 2f;
        public bool isGrounded => true;
        public Vector3 velocity { get; private set; }
        public bool SimpleMove(Vector3 speed)
        {
            Move(speed * Time.deltaTime);
            return true;
        }
        public CollisionFlags Move(Vector3 motion)
        {
            velocity = motion / Time.deltaTime;
            transform.position += motion;
            return CollisionFlags.None;
        }
    }

    [Flags] public enum CollisionFlags { None = 0, Sides = 1, Above = 2, Below = 4 }
    public enum ForceMode { Force = 0, Impulse = 1, VelocityChange = 2, Acceleration = 5 }
    [Flags] public enum RigidbodyConstraints
    {
        None = 0, FreezePositionX = 2, FreezePositionY = 4, FreezePositionZ = 8, FreezePosition = 14,
        FreezeRotationX = 16, FreezeRotationY = 32, FreezeRotationZ = 64, FreezeRotation = 112, FreezeAll = 126,
    }
    public enum RigidbodyInterpolation { None, Interpolate, Extrapolate }
    public enum CollisionDetectionMode { Discrete, Continuous, ContinuousDynamic, ContinuousSpeculative }
    public enum QueryTriggerInteraction { UseGlobal, Ignore, Collide }

#if UNITY_6000_0_OR_NEWER
    public enum PhysicsMaterialCombine { Average, Multiply, Minimum, Maximum }
    public class PhysicsMaterial : Object
    {
        public PhysicsMaterial() { }
        public PhysicsMaterial(string name) { this.name = name; }
        public float bounciness { get; set; }
        public float dynamicFriction { get; set; } = 0.6f;
        public float staticFriction { get; set; } = 0.6f;
        public PhysicsMaterialCombine frictionCombine { get; set; }
        public PhysicsMaterialCombine bounceCombine { get; set; }
    }
    [Obsolete("PhysicMaterial has been renamed to PhysicsMaterial. (UnityUpgradable) -> PhysicsMaterial", true)]
    public class PhysicMaterial { }
#else
    public enum PhysicMaterialCombine { Average, Multiply, Minimum, Maximum }
    public class PhysicMaterial : Object
    {
        public PhysicMaterial() { }
        public PhysicMaterial(string name) { this.name = name; }
        public float bounciness { get; set; }
        public float dynamicFriction { get; set; } = 0.6f;
        public float staticFriction { get; set; } = 0.6f;
        public PhysicMaterialCombine frictionCombine { get; set; }
        public PhysicMaterialCombine bounceCombine { get; set; }
    }
#endif

    /// Moves by its velocity, gravity and forces; nothing stops it.
    public class Rigidbody : Component
    {
        Vector3 m_Velocity;
        float m_Damping;
        float m_AngularDamping = 0.05f;

#if UNITY_6000_0_OR_NEWER
        public Vector3 linearVelocity { get { return m_Velocity; } set { m_Velocity = value; } }
        public float linearDamping { get { return m_Damping; } set { m_Damping = value; } }
        public float angularDamping { get { return m_AngularDamping; } set { m_AngularDamping = value; } }
        [Obsolete("Please use Rigidbody.linearVelocity instead. (UnityUpgradable) -> linearVelocity")]
        public Vector3 velocity { get { return m_Velocity; } set { m_Velocity = value; } }
        [Obsolete("Please use Rigidbody.linearDamping instead. (UnityUpgradable) -> linearDamping")]
        public float drag { get { return m_Damping; } set { m_Damping = value; } }
        [Obsolete("Please use Rigidbody.angularDamping instead. (UnityUpgradable) -> angularDamping")]
        public float angularDrag { get { return m_AngularDamping; } set { m_AngularDamping = value; } }
#else
        public Vector3 velocity { get { return m_Velocity; } set { m_Velocity = value; } }
        public float drag { get { return m_Damping; } set { m_Damping = value; } }
        public float angularDrag { get { return m_AngularDamping; } set { m_AngularDamping = value; } }
#endif
        public Vector3 angularVelocity { get; set; }
        public float mass { get; set; } = 1f;
        public bool useGravity { get; set; } = true;
        public bool isKinematic { get; set; }
        public bool freezeRotation { get; set; }
        public bool detectCollisions { get; set; } = true;
        public float maxAngularVelocity { get; set; } = 7f;
        public float maxDepenetrationVelocity { get; set; } = 10f;
        public float sleepThreshold { get; set; } = 0.005f;
        public int solverIterations { get; set; } = 6;
        public int solverVelocityIterations { get; set; } = 1;
        public Vector3 centerOfMass { get; set; }
        public Vector3 worldCenterOfMass => transform.TransformPoint(centerOfMass);
        public Vector3 inertiaTensor { get; set; } = Vector3.one;
        public Quaternion inertiaTensorRotation { get; set; } = Quaternion.identity;
        public RigidbodyConstraints constraints { get; set; }
        public RigidbodyInterpolation interpolation { get; set; }
        public CollisionDetectionMode collisionDetectionMode { get; set; }
        public Vector3 position { get { return transform.position; } set { transform.position = value; } }
        public Quaternion rotation { get { return transform.rotation; } set { transform.rotation = value; } }

        public void MovePosition(Vector3 position) { transform.position = position; }
        public void MoveRotation(Quaternion rot) { transform.rotation = rot; }
        public void AddForce(Vector3 force) { AddForce(force, ForceMode.Force); }
        public void AddForce(float x, float y, float z) { AddForce(new Vector3(x, y, z)); }
        public void AddForce(float x, float y, float z, ForceMode mode) { AddForce(new Vector3(x, y, z), mode); }
        public void AddForce(Vector3 force, ForceMode mode)
        {
            if (isKinematic) return;
            var perMass = mode == ForceMode.Force || mode == ForceMode.Impulse ? 1f / mass : 1f;
            var perStep = mode == ForceMode.Force || mode == ForceMode.Acceleration ? Time.fixedDeltaTime : 1f;
            m_Velocity += force * (perMass * perStep);
        }
        public void AddRelativeForce(Vector3 force) { AddForce(transform.TransformDirection(force)); }
        public void AddRelativeForce(Vector3 force, ForceMode mode) { AddForce(transform.TransformDirection(force), mode); }
        public void AddForceAtPosition(Vector3 force, Vector3 position) { AddForce(force); }
        public void AddForceAtPosition(Vector3 force, Vector3 position, ForceMode mode) { AddForce(force, mode); }
        public void AddTorque(Vector3 torque) { AddTorque(torque, ForceMode.Force); }
        public void AddTorque(float x, float y, float z) { AddTorque(new Vector3(x, y, z)); }
        public void AddTorque(Vector3 torque, ForceMode mode) { angularVelocity += torque * Time.fixedDeltaTime; }
        public void AddRelativeTorque(Vector3 torque) { AddTorque(transform.TransformDirection(torque)); }
        public void AddRelativeTorque(Vector3 torque, ForceMode mode) { AddTorque(transform.TransformDirection(torque), mode); }
        public void AddExplosionForce(float explosionForce, Vector3 explosionPosition, float explosionRadius) { }
        public Vector3 GetPointVelocity(Vector3 worldPoint) => m_Velocity + Vector3.Cross(angularVelocity, worldPoint - worldCenterOfMass);
        public Vector3 GetRelativePointVelocity(Vector3 relativePoint) => GetPointVelocity(transform.TransformPoint(relativePoint));
        public void Sleep() { m_Velocity = angularVelocity = Vector3.zero; }
        public void WakeUp() { }
        public bool IsSleeping() => m_Velocity == Vector3.zero;
        public void ResetCenterOfMass() { centerOfMass = Vector3.zero; }
        public void ResetInertiaTensor() { inertiaTensor = Vector3.one; }
        public Vector3 ClosestPointOnBounds(Vector3 position) => transform.position;

        internal void Move(float dt)
        {
            if (isKinematic) return;
            if (useGravity) m_Velocity += Physics.gravity * dt;
            m_Velocity *= Mathf.Clamp01(1f - m_Damping * dt);
            for (var axis = 0; axis < 3; axis++) if (((int)constraints & 2 << axis) != 0) m_Velocity[axis] = 0f;
            transform.position += m_Velocity * dt;
        }
    }

    public struct RaycastHit
    {
        internal RaycastHit(Collider collider, Vector3 point, float distance)
        {
            this.collider = collider;
            this.point = point;
            this.distance = distance;
            normal = Vector3.zero;
        }

        public Collider collider { get; }
        public Vector3 point { get; set; }
        public Vector3 normal { get; set; }
        public float distance { get; set; }
        public Transform transform => collider == null ? null : collider.attachedRigidbody == null ? collider.transform : collider.attachedRigidbody.transform;
        public Rigidbody rigidbody => collider == null ? null : collider.attachedRigidbody;
    }

    public struct ContactPoint
    {
        public Vector3 point { get; internal set; }
        public Vector3 normal { get; internal set; }
        public float separation { get; internal set; }
        public Collider thisCollider { get; internal set; }
        public Collider otherCollider { get; internal set; }
    }

    public class Collision
    {
        public Collider collider { get; internal set; }
        public Rigidbody rigidbody => collider.attachedRigidbody;
        public GameObject gameObject => rigidbody == null ? collider.gameObject : rigidbody.gameObject;
        public Transform transform => gameObject.transform;
        public Vector3 relativeVelocity { get; internal set; }
        public Vector3 impulse { get; internal set; }
        public ContactPoint[] contacts { get; internal set; } = new ContactPoint[0];
        public int contactCount => contacts.Length;
        public ContactPoint GetContact(int index) => contacts[index];
    }

    public class Joint : Component
    {
        public Rigidbody connectedBody { get; set; }
        public Vector3 axis { get; set; }
        public Vector3 anchor { get; set; }
        public Vector3 connectedAnchor { get; set; }
        public bool autoConfigureConnectedAnchor { get; set; } = true;
        public bool enableCollision { get; set; }
        public bool enablePreprocessing { get; set; } = true;
        public float breakForce { get; set; } = Mathf.Infinity;
        public float breakTorque { get; set; } = Mathf.Infinity;
        public float massScale { get; set; } = 1f;
        public float connectedMassScale { get; set; } = 1f;
        public Vector3 currentForce => Vector3.zero;
        public Vector3 currentTorque => Vector3.zero;
    }

    public class FixedJoint : Joint { }
    public class SpringJoint : Joint
    {
        public float spring { get; set; }
        public float damper { get; set; }
    }
    public class HingeJoint : Joint
    {
        public JointMotor motor { get; set; }
        public JointLimits limits { get; set; }
        public JointSpring spring { get; set; }
        public bool useMotor { get; set; }
        public bool useLimits { get; set; }
        public bool useSpring { get; set; }
        public float angle => 0f;
        public float velocity => 0f;
    }
    public class CharacterJoint : Joint { }
    public struct JointMotor
    {
        public float targetVelocity { get; set; }
        public float force { get; set; }
        public bool freeSpin { get; set; }
    }
    public struct JointLimits
    {
        public float min { get; set; }
        public float max { get; set; }
    }
    public struct JointSpring
    {
        public float spring;
        public float damper;
        public float targetPosition;
    }
    public struct JointDrive
    {
        public float positionSpring { get; set; }
        public float positionDamper { get; set; }
        public float maximumForce { get; set; }
    }
    public struct SoftJointLimit
    {
        public float limit { get; set; }
        public float bounciness { get; set; }
        public float contactDistance { get; set; }
    }
    public enum ConfigurableJointMotion { Locked, Limited, Free }
    public enum RotationDriveMode { XYAndZ, Slerp }
    public class ConfigurableJoint : Joint
    {
        public Vector3 secondaryAxis { get; set; }
        public ConfigurableJointMotion xMotion { get; set; }
        public ConfigurableJointMotion yMotion { get; set; }
        public ConfigurableJointMotion zMotion { get; set; }
        public ConfigurableJointMotion angularXMotion { get; set; }
        public ConfigurableJointMotion angularYMotion { get; set; }
        public ConfigurableJointMotion angularZMotion { get; set; }
        public SoftJointLimit linearLimit { get; set; }
        public SoftJointLimit lowAngularXLimit { get; set; }
        public SoftJointLimit highAngularXLimit { get; set; }
        public SoftJointLimit angularYLimit { get; set; }
        public SoftJointLimit angularZLimit { get; set; }
        public Vector3 targetPosition { get; set; }
        public Vector3 targetVelocity { get; set; }
        public Quaternion targetRotation { get; set; } = Quaternion.identity;
        public Vector3 targetAngularVelocity { get; set; }
        public JointDrive xDrive { get; set; }
        public JointDrive yDrive { get; set; }
        public JointDrive zDrive { get; set; }
        public JointDrive angularXDrive { get; set; }
        public JointDrive angularYZDrive { get; set; }
        public JointDrive slerpDrive { get; set; }
        public RotationDriveMode rotationDriveMode { get; set; }
        public bool configuredInWorldSpace { get; set; }
    }

    public static class Physics
    {
        public const int IgnoreRaycastLayer = 1 << 2;
        public const int DefaultRaycastLayers = ~IgnoreRaycastLayer;
        public const int AllLayers = ~0;

        public static Vector3 gravity { get; set; } = new Vector3(0f, -9.81f, 0f);
        public static bool queriesHitTriggers { get; set; } = true;
        public static bool reuseCollisionCallbacks { get; set; } = true;
        public static bool autoSyncTransforms { get; set; }
        public static int defaultSolverIterations { get; set; } = 6;
        public static int defaultSolverVelocityIterations { get; set; } = 1;
        public static float bounceThreshold { get; set; } = 2f;
        public static float defaultContactOffset { get; set; } = 0.01f;
#if UNITY_2022_2_OR_NEWER
        public static SimulationMode simulationMode { get; set; }
#else
        public static bool autoSimulation { get; set; } = true;
#endif

        public static void Simulate(float step)
        {
            foreach (var body in World.All<Rigidbody>(false).ToArray()) body.Move(step);
        }

        public static void SyncTransforms() { }
        public static void IgnoreCollision(Collider collider1, Collider collider2, bool ignore = true) { }
        public static void IgnoreLayerCollision(int layer1, int layer2, bool ignore = true) { }

        static IEnumerable<Collider> Seen(int layerMask, QueryTriggerInteraction triggers)
        {
            var withTriggers = triggers == QueryTriggerInteraction.Collide || triggers == QueryTriggerInteraction.UseGlobal && queriesHitTriggers;
            return World.All<Collider>(false).Where(one => one.enabled && (layerMask & 1 << one.gameObject.layer) != 0 && (withTriggers || !one.isTrigger));
        }

        static IEnumerable<RaycastHit> Hits(Vector3 origin, float radius, Vector3 direction, float maxDistance, int layerMask, QueryTriggerInteraction triggers)
        {
            var way = direction.normalized;
            foreach (var collider in Seen(layerMask, triggers))
            {
                float distance;
                if (collider.Meets(origin, way, radius, out distance) && distance <= maxDistance)
                {
                    yield return new RaycastHit(collider, origin + way * distance, distance);
                }
            }
        }

        static bool First(IEnumerable<RaycastHit> hits, out RaycastHit first)
        {
            first = new RaycastHit();
            var any = false;
            foreach (var hit in hits)
            {
                if (!any || hit.distance < first.distance) first = hit;
                any = true;
            }
            return any;
        }

        public static bool Raycast(Vector3 origin, Vector3 direction, float maxDistance = Mathf.Infinity, int layerMask = DefaultRaycastLayers,
            QueryTriggerInteraction queryTriggerInteraction = QueryTriggerInteraction.UseGlobal) =>
            Hits(origin, 0f, direction, maxDistance, layerMask, queryTriggerInteraction).Any();
        public static bool Raycast(Vector3 origin, Vector3 direction, out RaycastHit hitInfo, float maxDistance = Mathf.Infinity,
            int layerMask = DefaultRaycastLayers, QueryTriggerInteraction queryTriggerInteraction = QueryTriggerInteraction.UseGlobal) =>
            First(Hits(origin, 0f, direction, maxDistance, layerMask, queryTriggerInteraction), out hitInfo);
        public static bool Raycast(Ray ray, float maxDistance = Mathf.Infinity, int layerMask = DefaultRaycastLayers,
            QueryTriggerInteraction queryTriggerInteraction = QueryTriggerInteraction.UseGlobal) =>
            Raycast(ray.origin, ray.direction, maxDistance, layerMask, queryTriggerInteraction);
        public static bool Raycast(Ray ray, out RaycastHit hitInfo, float maxDistance = Mathf.Infinity, int layerMask = DefaultRaycastLayers,
            QueryTriggerInteraction queryTriggerInteraction = QueryTriggerInteraction.UseGlobal) =>
            Raycast(ray.origin, ray.direction, out hitInfo, maxDistance, layerMask, queryTriggerInteraction);
        public static RaycastHit[] RaycastAll(Vector3 origin, Vector3 direction, float maxDistance = Mathf.Infinity, int layerMask = DefaultRaycastLayers) =>
            Hits(origin, 0f, direction, maxDistance, layerMask, QueryTriggerInteraction.UseGlobal).ToArray();
        public static RaycastHit[] RaycastAll(Ray ray, float maxDistance = Mathf.Infinity, int layerMask = DefaultRaycastLayers) =>
            RaycastAll(ray.origin, ray.direction, maxDistance, layerMask);
        public static bool Linecast(Vector3 start, Vector3 end, int layerMask = DefaultRaycastLayers) =>
            Raycast(start, end - start, (end - start).magnitude, layerMask);
        public static bool SphereCast(Vector3 origin, float radius, Vector3 direction, out RaycastHit hitInfo, float maxDistance = Mathf.Infinity,
            int layerMask = DefaultRaycastLayers, QueryTriggerInteraction queryTriggerInteraction = QueryTriggerInteraction.UseGlobal) =>
            First(Hits(origin, radius, direction, maxDistance, layerMask, queryTriggerInteraction), out hitInfo);
        public static bool SphereCast(Ray ray, float radius, out RaycastHit hitInfo, float maxDistance = Mathf.Infinity, int layerMask = DefaultRaycastLayers) =>
            SphereCast(ray.origin, radius, ray.direction, out hitInfo, maxDistance, layerMask);

        public static Collider[] OverlapSphere(Vector3 position, float radius, int layerMask = AllLayers,
            QueryTriggerInteraction queryTriggerInteraction = QueryTriggerInteraction.UseGlobal) =>
            Seen(layerMask, queryTriggerInteraction).Where(one => one.Overlaps(position, radius)).ToArray();
        public static int OverlapSphereNonAlloc(Vector3 position, float radius, Collider[] results, int layerMask = AllLayers) =>
            Fill(OverlapSphere(position, radius, layerMask), results);
        public static bool CheckSphere(Vector3 position, float radius, int layerMask = DefaultRaycastLayers) => OverlapSphere(position, radius, layerMask).Length > 0;

        /// By bounds, whatever the turn.
        public static Collider[] OverlapBox(Vector3 center, Vector3 halfExtents) => OverlapBox(center, halfExtents, Quaternion.identity);
        public static Collider[] OverlapBox(Vector3 center, Vector3 halfExtents, Quaternion orientation, int layerMask = AllLayers,
            QueryTriggerInteraction queryTriggerInteraction = QueryTriggerInteraction.UseGlobal) =>
            Seen(layerMask, queryTriggerInteraction).Where(one => one.bounds.Intersects(new Bounds(center, halfExtents * 2f))).ToArray();
        public static int OverlapBoxNonAlloc(Vector3 center, Vector3 halfExtents, Collider[] results) =>
            Fill(OverlapBox(center, halfExtents), results);
        public static int OverlapBoxNonAlloc(Vector3 center, Vector3 halfExtents, Collider[] results, Quaternion orientation, int mask = AllLayers) =>
            Fill(OverlapBox(center, halfExtents, orientation, mask), results);
        public static bool CheckBox(Vector3 center, Vector3 halfExtents) => OverlapBox(center, halfExtents).Length > 0;
        public static bool CheckBox(Vector3 center, Vector3 halfExtents, Quaternion orientation, int layermask = DefaultRaycastLayers) =>
            OverlapBox(center, halfExtents, orientation, layermask).Length > 0;
        public static bool CheckCapsule(Vector3 start, Vector3 end, float radius, int layermask = DefaultRaycastLayers) =>
            CheckSphere(start, radius, layermask) || CheckSphere(end, radius, layermask);
        public static Vector3 ClosestPoint(Vector3 point, Collider collider, Vector3 position, Quaternion rotation) => collider.ClosestPoint(point);
        public static bool ComputePenetration(Collider colliderA, Vector3 positionA, Quaternion rotationA, Collider colliderB, Vector3 positionB,
            Quaternion rotationB, out Vector3 direction, out float distance)
        {
            direction = Vector3.zero;
            distance = 0f;
            return false;
        }

        static int Fill(Collider[] found, Collider[] results)
        {
            var count = Mathf.Min(found.Length, results.Length);
            Array.Copy(found, results, count);
            return count;
        }
    }

#if UNITY_2022_2_OR_NEWER
    public enum SimulationMode { FixedUpdate, Update, Script }
#endif
}
