// UnityEngine's objects: Object, Component, GameObject, MonoBehaviour and what they are found by.
using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("UnityEditorStubs")]
[assembly: InternalsVisibleTo("Host")]

namespace UnityEngine
{
    public class UnityException : Exception
    {
        public UnityException(string message) : base(message) { }
    }

    public class MissingReferenceException : Exception
    {
        public MissingReferenceException(string message) : base(message) { }
    }

    public class MissingComponentException : Exception
    {
        public MissingComponentException(string message) : base(message) { }
    }

    [Flags]
    public enum HideFlags { None = 0, HideInHierarchy = 1, HideInInspector = 2, DontSaveInEditor = 4, NotEditable = 8, DontSave = 52, HideAndDontSave = 61 }

    public enum FindObjectsSortMode { None, InstanceID }
    public enum FindObjectsInactive { Exclude, Include }
    public enum SendMessageOptions { RequireReceiver, DontRequireReceiver }
    public enum PrimitiveType { Sphere, Capsule, Cylinder, Cube, Plane, Quad }
    public enum Space { World, Self }

    public class Object
    {
        static int s_LastId;
        readonly int m_Id = ++s_LastId;
        string m_Name = "";

        internal bool Destroyed { get; set; }
        public virtual string name { get { return m_Name; } set { m_Name = value; } }
        public HideFlags hideFlags { get; set; }

        public int GetInstanceID() => m_Id;
        public override int GetHashCode() => m_Id;
        public override bool Equals(object other) => Same(this, other as Object);
        public override string ToString() => name + " (" + GetType().Name + ")";

        public static implicit operator bool(Object exists) => !Same(exists, null);
        public static bool operator ==(Object x, Object y) => Same(x, y);
        public static bool operator !=(Object x, Object y) => !Same(x, y);

        /// A destroyed object equals null.
        static bool Same(Object x, Object y)
        {
            var noX = (object)x == null || x.Destroyed;
            var noY = (object)y == null || y.Destroyed;
            return noX || noY ? noX && noY : ReferenceEquals(x, y);
        }

        public static void Destroy(Object obj) { World.Destroy(obj); }
        public static void Destroy(Object obj, float t) { World.Destroy(obj); }
        public static void DestroyImmediate(Object obj) { World.DestroyNow(obj); }
        public static void DestroyImmediate(Object obj, bool allowDestroyingAssets) { World.DestroyNow(obj); }
        public static void DontDestroyOnLoad(Object target) { }

        public static Object Instantiate(Object original) => World.Copy(original);
        public static T Instantiate<T>(T original) where T : Object => (T)World.Copy(original);
        public static T Instantiate<T>(T original, Transform parent) where T : Object => Instantiate(original, parent, false);
        public static T Instantiate<T>(T original, Transform parent, bool worldPositionStays) where T : Object
        {
            var copy = (T)World.Copy(original);
            World.TransformOf(copy).SetParent(parent, worldPositionStays);
            return copy;
        }
        public static T Instantiate<T>(T original, Vector3 position, Quaternion rotation) where T : Object
        {
            var copy = (T)World.Copy(original);
            World.TransformOf(copy).SetPositionAndRotation(position, rotation);
            return copy;
        }
        public static T Instantiate<T>(T original, Vector3 position, Quaternion rotation, Transform parent) where T : Object
        {
            var copy = Instantiate(original, parent);
            World.TransformOf(copy).SetPositionAndRotation(position, rotation);
            return copy;
        }

#if UNITY_2023_1_OR_NEWER
        const string OldSearch = "Use FindFirstObjectByType, FindAnyObjectByType or FindObjectsByType instead.";
        [Obsolete(OldSearch)] public static T FindObjectOfType<T>() where T : Object => World.All<T>(false).FirstOrDefault();
        [Obsolete(OldSearch)] public static T FindObjectOfType<T>(bool includeInactive) where T : Object => World.All<T>(includeInactive).FirstOrDefault();
        [Obsolete(OldSearch)] public static Object FindObjectOfType(Type type) => World.All<Object>(false).FirstOrDefault(type.IsInstanceOfType);
        [Obsolete(OldSearch)] public static T[] FindObjectsOfType<T>() where T : Object => World.All<T>(false).ToArray();
        [Obsolete(OldSearch)] public static T[] FindObjectsOfType<T>(bool includeInactive) where T : Object => World.All<T>(includeInactive).ToArray();
#else
        public static T FindObjectOfType<T>() where T : Object => World.All<T>(false).FirstOrDefault();
        public static T[] FindObjectsOfType<T>() where T : Object => World.All<T>(false).ToArray();
        public static Object FindObjectOfType(Type type) => World.All<Object>(false).FirstOrDefault(type.IsInstanceOfType);
#if UNITY_2020_1_OR_NEWER
        public static T FindObjectOfType<T>(bool includeInactive) where T : Object => World.All<T>(includeInactive).FirstOrDefault();
        public static T[] FindObjectsOfType<T>(bool includeInactive) where T : Object => World.All<T>(includeInactive).ToArray();
#endif
#endif
#if UNITY_2021_3_OR_NEWER
        public static T FindFirstObjectByType<T>() where T : Object => World.All<T>(false).FirstOrDefault();
        public static T FindFirstObjectByType<T>(FindObjectsInactive findObjectsInactive) where T : Object =>
            World.All<T>(findObjectsInactive == FindObjectsInactive.Include).FirstOrDefault();
        public static T FindAnyObjectByType<T>() where T : Object => World.All<T>(false).FirstOrDefault();
        public static T[] FindObjectsByType<T>(FindObjectsSortMode sortMode) where T : Object => World.All<T>(false).ToArray();
        public static T[] FindObjectsByType<T>(FindObjectsInactive findObjectsInactive, FindObjectsSortMode sortMode) where T : Object =>
            World.All<T>(findObjectsInactive == FindObjectsInactive.Include).ToArray();
#endif
    }

    public class Component : Object
    {
        internal GameObject Owner { get; set; }

        public override string name
        {
            get { return Owner == null ? base.name : Owner.name; }
            set { Owner.name = value; }
        }

        public GameObject gameObject => Owner;
        public Transform transform => Owner.transform;
        public string tag { get { return Owner.tag; } set { Owner.tag = value; } }
        public bool CompareTag(string tag) => Owner.CompareTag(tag);

        public Component GetComponent(Type type) => Owner.GetComponent(type);
        public T GetComponent<T>() => Owner.GetComponent<T>();
        public bool TryGetComponent<T>(out T component) => Owner.TryGetComponent(out component);
        public T[] GetComponents<T>() => Owner.GetComponents<T>();
        public void GetComponents<T>(List<T> results) { Owner.GetComponents(results); }
        public T GetComponentInChildren<T>() => Owner.GetComponentInChildren<T>();
        public T GetComponentInChildren<T>(bool includeInactive) => Owner.GetComponentInChildren<T>(includeInactive);
        public T[] GetComponentsInChildren<T>() => Owner.GetComponentsInChildren<T>();
        public T[] GetComponentsInChildren<T>(bool includeInactive) => Owner.GetComponentsInChildren<T>(includeInactive);
        public void GetComponentsInChildren<T>(List<T> results) { Owner.GetComponentsInChildren(results); }
        public T GetComponentInParent<T>() => Owner.GetComponentInParent<T>();
        public T[] GetComponentsInParent<T>() => Owner.GetComponentsInParent<T>();
        public void SendMessage(string methodName) { Owner.SendMessage(methodName); }
        public void SendMessage(string methodName, object value) { Owner.SendMessage(methodName, value); }
        public void BroadcastMessage(string methodName) { Owner.BroadcastMessage(methodName); }
    }

    public class Behaviour : Component
    {
        bool m_Enabled = true;

        public bool enabled
        {
            get { return m_Enabled; }
            set
            {
                m_Enabled = value;
                World.Refresh(Owner);
            }
        }

        public bool isActiveAndEnabled => enabled && Owner.activeInHierarchy;
    }

    public class MonoBehaviour : Behaviour
    {
        internal Life Life { get; } = new Life();

        public bool useGUILayout { get; set; } = true;
        public bool runInEditMode { get; set; }

        public Coroutine StartCoroutine(IEnumerator routine) => World.Begin(this, routine);
        public Coroutine StartCoroutine(string methodName) => World.Begin(this, (IEnumerator)World.Call(this, methodName));
        public void StopCoroutine(IEnumerator routine) { World.End(this, routine); }
        public void StopCoroutine(Coroutine routine) { World.End(this, routine.Routine); }
        public void StopAllCoroutines() { World.End(this, null); }
        public void Invoke(string methodName, float time) { World.Begin(this, Later(methodName, time, 0f)); }
        public void InvokeRepeating(string methodName, float time, float repeatRate) { World.Begin(this, Later(methodName, time, repeatRate)); }
        public void CancelInvoke() { World.End(this, null); }
        public static void print(object message) { Debug.Log(message); }

        IEnumerator Later(string methodName, float time, float repeatRate)
        {
            yield return new WaitForSeconds(time);
            World.Call(this, methodName);
            while (repeatRate > 0f)
            {
                yield return new WaitForSeconds(repeatRate);
                World.Call(this, methodName);
            }
        }
    }

    public class ScriptableObject : Object
    {
        public static T CreateInstance<T>() where T : ScriptableObject => (T)CreateInstance(typeof(T));
        public static ScriptableObject CreateInstance(Type type) => (ScriptableObject)Activator.CreateInstance(type);
    }

    public interface ISerializationCallbackReceiver
    {
        void OnBeforeSerialize();
        void OnAfterDeserialize();
    }

    public class YieldInstruction { }

    public abstract class CustomYieldInstruction : IEnumerator
    {
        public abstract bool keepWaiting { get; }
        public object Current => null;
        public bool MoveNext() => keepWaiting;
        public virtual void Reset() { }
    }

    public sealed class Coroutine : YieldInstruction
    {
        internal IEnumerator Routine { get; set; }
    }

    public sealed class WaitForSeconds : YieldInstruction
    {
        internal float Seconds { get; }
        public WaitForSeconds(float seconds) { Seconds = seconds; }
    }

    public sealed class WaitForFixedUpdate : YieldInstruction { }
    public sealed class WaitForEndOfFrame : YieldInstruction { }

    public class WaitForSecondsRealtime : CustomYieldInstruction
    {
        readonly float m_End;
        public WaitForSecondsRealtime(float time) { m_End = Time.time + time; }
        public override bool keepWaiting => Time.time < m_End;
    }

    public sealed class WaitUntil : CustomYieldInstruction
    {
        readonly Func<bool> m_Predicate;
        public WaitUntil(Func<bool> predicate) { m_Predicate = predicate; }
        public override bool keepWaiting => !m_Predicate();
    }

    public sealed class GameObject : Object
    {
        readonly List<Component> m_Components = new List<Component>();
        readonly Transform m_Transform;
        bool m_Active = true;
        string m_Tag = TagsAndLayers.Untagged;

        public GameObject() : this("New Game Object") { }
        public GameObject(string name) : this(name, new Type[0]) { }
        public GameObject(string name, params Type[] components)
        {
            this.name = name;
            m_Transform = new Transform { Owner = this };
            m_Components.Add(m_Transform);
            World.Add(this);
            foreach (var type in components) AddComponent(type);
        }

        internal List<Component> Components => m_Components;

        public GameObject gameObject => this;
        public Transform transform => m_Transform;
        public int layer { get; set; }
        public bool isStatic { get; set; }
        public SceneManagement.Scene scene => SceneManagement.SceneManager.GetActiveScene();
        public bool activeSelf => m_Active;
        public bool activeInHierarchy => !Destroyed && m_Active && (transform.parent == null || transform.parent.gameObject.activeInHierarchy);

        /// The project has to know the tag, as in Unity.
        public string tag
        {
            get { return m_Tag; }
            set { m_Tag = TagsAndLayers.Known(value); }
        }

        public bool CompareTag(string tag) => m_Tag == TagsAndLayers.Known(tag);

        public void SetActive(bool value)
        {
            if (m_Active == value) return;
            m_Active = value;
            World.Refresh(this);
        }

        public T AddComponent<T>() where T : Component => (T)AddComponent(typeof(T));
        public Component AddComponent(Type componentType)
        {
            if (Destroyed) throw new MissingReferenceException("The object of type 'GameObject' has been destroyed but you are still trying to access it.");
            if (componentType.IsAbstract || !typeof(Component).IsAssignableFrom(componentType))
            {
                Debug.LogError("Can't add component '" + componentType.Name + "': it is abstract or no component.");
                return null;
            }
            foreach (var needed in World.Required(componentType)) if (GetComponent(needed) == null) AddComponent(needed);
            var component = World.Make(componentType, this);
            m_Components.Add(component);
            World.Refresh(this);
            return component;
        }

        public Component GetComponent(Type type) => m_Components.FirstOrDefault(type.IsInstanceOfType);
        public T GetComponent<T>() => m_Components.OfType<T>().FirstOrDefault();
        public T[] GetComponents<T>() => m_Components.OfType<T>().ToArray();
        public void GetComponents<T>(List<T> results) { Fill(results, GetComponents<T>()); }
        public bool TryGetComponent<T>(out T component)
        {
            component = GetComponent<T>();
            return component != null;
        }

        public T GetComponentInChildren<T>() => GetComponentInChildren<T>(false);
        public T GetComponentInChildren<T>(bool includeInactive) => GetComponentsInChildren<T>(includeInactive).FirstOrDefault();
        public T[] GetComponentsInChildren<T>() => GetComponentsInChildren<T>(false);
        public T[] GetComponentsInChildren<T>(bool includeInactive) =>
            World.Below(this).Where(o => includeInactive || o.activeInHierarchy).SelectMany(o => o.GetComponents<T>()).ToArray();
        public void GetComponentsInChildren<T>(List<T> results) { Fill(results, GetComponentsInChildren<T>()); }
        public void GetComponentsInChildren<T>(bool includeInactive, List<T> results) { Fill(results, GetComponentsInChildren<T>(includeInactive)); }
        public T GetComponentInParent<T>() => GetComponentsInParent<T>().FirstOrDefault();
        public T[] GetComponentsInParent<T>()
        {
            var found = new List<T>();
            for (var at = transform; at != null; at = at.parent) found.AddRange(at.gameObject.GetComponents<T>());
            return found.ToArray();
        }

        static void Fill<T>(List<T> results, T[] found)
        {
            results.Clear();
            results.AddRange(found);
        }

        public void SendMessage(string methodName) { SendMessage(methodName, null); }
        public void SendMessage(string methodName, object value)
        {
            foreach (var receiver in GetComponents<MonoBehaviour>()) World.Call(receiver, methodName, value);
        }
        public void SendMessage(string methodName, object value, SendMessageOptions options) { SendMessage(methodName, value); }
        public void BroadcastMessage(string methodName)
        {
            foreach (var below in World.Below(this)) below.SendMessage(methodName);
        }

        public static GameObject Find(string name) => World.Objects.FirstOrDefault(o => o.activeInHierarchy
            && (o.name == name.TrimStart('/') || name.Contains("/") && World.Path(o).TrimStart('/') == name.TrimStart('/')));
        public static GameObject FindWithTag(string tag) => FindGameObjectsWithTag(tag).FirstOrDefault();
        public static GameObject FindGameObjectWithTag(string tag) => FindWithTag(tag);
        public static GameObject[] FindGameObjectsWithTag(string tag) =>
            World.Objects.Where(o => o.activeInHierarchy && o.CompareTag(tag)).ToArray();

        /// The mesh is empty; the colliders are those that Unity gives.
        public static GameObject CreatePrimitive(PrimitiveType type)
        {
            var made = new GameObject(type.ToString(), typeof(MeshFilter), typeof(MeshRenderer));
            switch (type)
            {
                case PrimitiveType.Sphere: made.AddComponent<SphereCollider>(); break;
                case PrimitiveType.Cube: made.AddComponent<BoxCollider>(); break;
                case PrimitiveType.Capsule:
                case PrimitiveType.Cylinder: made.AddComponent<CapsuleCollider>().height = 2f; break;
                default: made.AddComponent<MeshCollider>(); break;
            }
            return made;
        }
    }
}
